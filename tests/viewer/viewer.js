// Finds the instance of each store over QIDO-RS, and has dwv retrieve it over WADO-RS and draw it.
// `window.shown` is a promise of what was drawn: for each side the caption, and the canvas as a PNG data URL.
import { App, AppOptions, ViewConfig } from "dwv";

const CAPTION = { "00100010": "PatientName", "00100020": "PatientID", "00100030": "PatientBirthDate", "00080020": "StudyDate" };

async function findInstance(root) {
  const fields = [...Object.values(CAPTION), "Rows", "Columns"].map((name) => `includefield=${name}`);
  const answer = await fetch(`${root}/instances?${fields.join("&")}`, { headers: { Accept: "application/dicom+json" } });
  if (!answer.ok) throw new Error(`the search answered ${answer.status}`);
  const found = answer.status === 204 ? [] : await answer.json();
  if (found.length !== 1) throw new Error(`the store holds ${found.length} instances, not 1`);
  return found[0];
}

function valueOf(instance, tag) {
  const value = instance[tag]?.Value?.[0];
  return value?.Alphabetic ?? value;
}

function caption(instance) {
  const known = Object.keys(CAPTION).map((tag) => valueOf(instance, tag));
  return known.filter((value) => value !== undefined).join(" · ") || "nobody";
}

function draw(holder, url) {
  const app = new App();
  app.init(new AppOptions({ "*": [new ViewConfig(holder.id)] }));
  return new Promise((resolve, reject) => {
    app.addEventListener("error", (event) => reject(new Error(`dwv: ${event.error}`)));
    app.addEventListener("abort", () => reject(new Error("dwv gave up")));
    app.addEventListener("renderend", () => resolve(holder.querySelector(".viewLayer canvas")));
    const Accept = 'multipart/related; type="application/dicom"; transfer-syntax=*';
    app.loadURLs([url], { requestHeaders: [{ name: "Accept", value: Accept }] });
  });
}

async function show(side, root) {
  const instance = await findInstance(root);
  const section = document.getElementById(side);
  const text = (section.querySelector("p").textContent = caption(instance));
  const holder = document.getElementById(`${side}-image`);
  // As large as the image: a pixel of the canvas is a pixel of the frame.
  holder.style.height = `${valueOf(instance, "00280010")}px`;
  holder.style.width = `${valueOf(instance, "00280011")}px`;
  const [study, series, uid] = ["0020000D", "0020000E", "00080018"].map((tag) => valueOf(instance, tag));
  const canvas = await draw(holder, `${root}/studies/${study}/series/${series}/instances/${uid}`);
  return { caption: text, picture: canvas.toDataURL("image/png") };
}

const asked = new URLSearchParams(location.search);
window.shown = Promise.all(["before", "after"].map((side) => show(side, asked.get(side))));
