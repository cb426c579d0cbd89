"""The words and templates of `phi_text`: one set to tune on, and one, written apart, to measure with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Corpus:
    """What one set is made of: word lists by name, templates with ``{slots}``, and texts without anything sensitive."""

    words: dict[str, Sequence[str]]
    templates: Sequence[str]
    innocent: Sequence[str]


def _items(text: str) -> tuple[str, ...]:
    return tuple(" ".join(item.split()) for item in text.split(";"))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


TUNING = Corpus(
    words={
        "given": _items(
            """
            James; Mary; Ana; Daniel; Ingrid; Paolo; Keiko; Irina; Lars; Chloe; Omar; Marta; Minh; George;
            Edith; Rosa; Henri; Sean; Carmen; Klaus; Olga; Wei; Fatima; Ravi; Emma; Noah; Grace; Mark
            """
        ),
        "family": _items(
            """
            Smith; Johnson; Rivera; Okafor; Lindqvist; Marchetti; Nakamura; Petrov; Johansson; Haddad; Kowalski;
            Nguyen; Fernandez; Whitcombe; Castellanos; Dubois; Eriksen; Fitzgerald; Hartmann; Novak; O'Connor;
            Papadakis; Silva; Takahashi; Weissman; Zimmer; Long; Brown; Young; Park; Patel; van-Dijk; McAllister
            """
        ),
        "city": _items(
            """
            Boston; Chicago; Munich; Lyon; Toronto; Madrid; Osaka; Springfield, IL; Dayton, OH 45402; Glasgow;
            Seattle, WA
            """
        ),
        "facility": _items(
            """
            St. Mary's Hospital; Lakeside Medical Center; General Hospital of Springfield; Northwood Clinic;
            Mercy Hospital; Klinikum Rosenheim; Hôpital Saint-Louis; Riverside Radiology Associates; University
            Hospital Basel; Sunrise Imaging Center; Hillcrest Community Hospital
            """
        ),
        "street": _items(
            """
            12 Harbour St, Springfield; 88 Mill Lane; 4500 Oak Avenue Apt 3; Hauptstraße 12; 221B Baker Street;
            12 rue de la Paix; PO Box 1142; 1600 N Main St
            """
        ),
        "part": _items(
            """
            CHEST; ABDOMEN; Brain; L-SPINE; Knee; Pelvis; SHOULDER; C-Spine; Foot
            """
        ),
        "modality": _items(
            """
            CT; MR; US; XR; PET/CT; CR; NM; MRI
            """
        ),
        "vendor": _items(
            """
            SIEMENS; GE MEDICAL SYSTEMS; Philips Medical Systems; TOSHIBA; Hologic, Inc.; FUJIFILM Corporation;
            Canon Medical Systems
            """
        ),
    },
    templates=_lines("""
        {modality} {part} for {full}
        {modality} {part} {date}
        Patient: {full} DOB: {date}
        {comma} {date}
        {comma_initial}  M  {age_dicom}
        {comma_tight}
        {full}
        {family} {modality} {part}
        {caret}
        {caret_middle} ID:{mrn}
        ID: {mrn}
        MRN {mrn}
        MRN: {mrn} Acc# {mrn}
        Accession: {mrn}
        DOB {date}
        D.O.B: {short_date} Sex: F
        {age} male with chest pain
        {age} woman, fall from height
        Dr. {family}
        Referred by Dr. {full}
        Ref: Dr {initial_family}
        Ref. Phys: {comma}
        Performed by: {full}
        Tech: {given} {family}
        Operator: {initial_family}
        Reviewed by {full}, MD
        {full}, RDMS
        Spoke with {full} at {phone}
        Please call {phone} with results
        Tel: {ext_phone}
        Phone {intl_phone}
        {intl_phone}
        pager {ext_phone}
        {facility}
        {facility} {city}
        Transferred from {facility} on {date}
        Outside films from {facility}
        {street}
        Lives at {street}
        Compare with study of {date}
        Prior {modality} dated {short_date}
        s/p surgery {date} by Dr. {family}
        {datetime}
        Acquired {datetime}
        SSN {ssn}
        {ssn}
        Card {card} on file
        Email results to {email}
        Station at {ip}
        MAC {mac}
        Passport no. {passport}
        Driver's license {licence}
        Pt {full} complains of headache since {date}
        Mother {full} present. Phone {phone}
        Mr. {family} had previous MRI at {facility}
        discussed with {full} by phone
        {city}
        resident of {city}
        """),
    innocent=_lines("""
        {modality} {part} WITH CONTRAST
        {modality} {part} W/O CON
        {modality} {part} 2 VIEWS
        {vendor}
        L
        R
        RT LAT
        AP PORTABLE
        PA AND LATERAL
        SUPINE
        {number} kV
        {number} mAs
        W {number} L {small}
        GAIN {small}%
        FOV {small} cm
        {small} cm
        Depth {small} cm
        Fr {small}/{number}
        TR {number} TE {small}
        MI 0.{small} TIS 0.4
        Wilson disease follow up
        Graves disease, thyroid US
        Foley catheter in place
        Baker cyst left knee
        Swan-Ganz catheter tip position
        r/o Crohn disease
        Colles fracture
        Rule out PE
        t2_tse_sag_384
        Ax T2 FLAIR FS
        Sag T1 MPRAGE
        AXIAL DWI b1000
        Thorax Routine 5.0 B31f
        Lung 1.25mm
        Scout
        3-plane localizer
        Cor STIR L-Spine
        Head 4.0 H30s
        Screening mammogram bilateral
        R CC
        L MLO
        OB US 2nd trimester
        Echocardiogram, stress
        Bone density DXA hip and spine
        Abdomen 3 phase liver
        CTA chest PE protocol
        Patient moved during scan
        Motion artifact, limited study
        Shortness of breath and cough for 3 days
        Chest pain, evaluate for pneumonia
        History of breast cancer, restaging
        Status post appendectomy
        Page {small} of {small}
        Series {small} Image {number}
        {clock}
        SW v3.2.1.0
        1.5 mm slice thickness
        HFS
        Heart rate 72 bpm
        Standard Procedure
        Uncompressed
        Derived from original images
        Contrast: Omnipaque 350 100 ml
        Left ventricle, 4 chamber view
        Kidney stone protocol
        Pre and post Gd
        Zoom 150%
        """),
)

HELD_OUT = Corpus(
    words={
        "given": _items(
            """
            Robert; Linda; Sofía; Bjarne; Yolanda; Hamid; Tomasz; Akiko; Deborah; Ngozi; Pieter; Luisa; Anselm;
            Priyanka; Gareth; Mireille; Dong-Hyun; Leticia; Oskar; Ximena; Brandon; Shirley; Faisal; Katrin;
            Eduardo; Hope; Grant; Zsofia; Tunde; Eleanor
            """
        ),
        "family": _items(
            """
            Anderson; Martinez; Thornbury; Oyelaran; Grzybowski; Stoltenberg; Yamanaka; Abdelrahman; Vandenberg;
            Quispe; Mahajan; Featherstone; Lindholm; Caruso; Delgado; Szczepanski; Holloway; Ibarra; Katsaros;
            Beaumont; Achebe; Rosenthal; Winterbourne; Choi; Tran; Cook; Bell; Fields; O'Brien; de-Vries; Leung;
            Mbatha; Pritchard
            """
        ),
        "city": _items(
            """
            Denver; Portland, OR; Hamburg; Marseille; Leeds; Valparaíso; Fukuoka; Rockford, IL 61101; Tampa, FL;
            Utrecht; Halifax
            """
        ),
        "facility": _items(
            """
            Saint Luke's Hospital; Cedar Ridge Medical Center; Westbrook Memorial Hospital; Harborview Clinic;
            Providence Medical Center; Universitätsklinikum Freiburg; Hôpital Cochin; Clearwater Imaging Center;
            Good Samaritan Hospital; Marienhospital Stuttgart; Pinecrest Radiology Associates; Hospital
            Universitario La Paz
            """
        ),
        "street": _items(
            """
            731 Willow Creek Road; 29 Elm Ct, Apt 5B; P.O. Box 77; Bahnhofstrasse 45; 18 Queen's Terrace; 5
            avenue Victor Hugo; 1024 SW Jefferson Blvd Suite 200; Calle Mayor 14
            """
        ),
        "part": _items(
            """
            THORAX; Liver; CERVICAL SPINE; Hip; SINUSES; Prostate; Wrist; KUB; ANKLE
            """
        ),
        "modality": _items(
            """
            CT; MR; MRA; US; DX; CTA; MG; SPECT
            """
        ),
        "vendor": _items(
            """
            Siemens Healthineers; GE Healthcare; PHILIPS; Hitachi Medical Corporation; Esaote; Carestream
            Health; Mindray; SAMSUNG MEDISON
            """
        ),
    },
    templates=_lines("""
        {full} - {modality} {part}
        {modality} {part} follow-up, last exam {date}
        Pt Name: {comma}
        Name {full}   Born {date}
        {comma}
        {comma_initial} MRN{mrn}
        {caret} {date}
        {full_middle}
        {family}
        {comma_tight} {short_date}
        PatID {mrn}
        Pat. ID: {mrn}
        Hosp No: {mrn}
        ACC: {mrn}
        Birthdate: {date}
        Geb. {short_date}
        {age} F, abdominal pain
        {age} male, MVA
        Age: {plain_age}  Sex: M
        Requested by Dr {full}
        Physician: {full}
        Attending: Dr. {initial_family}
        Sonographer: {full}
        Read by {full}, M.D.
        Technologist {full}
        Results called to Dr. {family} at {phone}
        Ph: {phone}
        Fax {phone}
        Contact {intl_phone}
        {phone}
        Ext. {ext_phone}
        Scanned at {facility}
        {facility}, Dept of Radiology
        {facility}
        Images from {facility} reviewed {date}
        Patient resides in {city}
        {city}
        Address: {street}
        {street}
        Comparison: {modality} {date}
        Prev. exam on {short_date}
        Operated {date}, Dr. {family}
        {datetime}
        Study time {datetime}
        Social security number: {ssn}
        Paid with {card}
        Contact: {email}
        Host {ip}
        Ethernet {mac}
        Passport {passport}
        DL# {licence}
        Daughter {full}, phone {phone}
        Mrs. {family} was informed on {date}
        Known to Dr {full} since {date}
        Seen with {full} in clinic
        {given} {family} wants a copy of the report
        Report to {full}, {facility}
        """),
    innocent=_lines("""
        {modality} {part} ROUTINE
        {modality} {part} PRE/POST
        {part} {modality} LIMITED
        {vendor}
        LT
        RT
        OBLIQUE
        LATERAL DECUBITUS
        ERECT
        AP SUPINE PORTABLE
        {number} kVp
        {number} mA
        C {number} W {number}
        DR {small} dB
        {small}.5 MHz
        {small} mm
        {small} fps
        B {small} / {number}
        TE: {small} TR: {number}
        TIb 0.{small} MI 1.1
        Wilson's disease, copper
        Graves ophthalmopathy
        Exchange Foley
        Baker's cyst rupture?
        Hickman line placement
        Hodgkin lymphoma restaging
        Bennett fracture
        Query DVT
        t1_vibe_fs_tra_dyn
        SAG T2 TSE
        Cor PD FS
        ADC (10^-6 mm2/s)
        Abdomen Native 3.0 B40f
        BONE 0.625
        Topogram 0.6 T20f
        Survey
        Ax 3D SPGR
        Sinus 1.0 H60s
        Diagnostic mammogram left
        L CC
        R MLO
        Fetal biometry
        Transthoracic echo
        Lumbar spine AP and lateral
        Pancreas protocol biphasic
        CTV head
        Breathing artifact
        Incomplete exam, patient claustrophobic
        Dizziness and nausea for 2 weeks
        Fell on outstretched hand, pain at wrist
        Lung nodule surveillance
        Post op day {small}
        {small}/{number}
        Im: {number} Se: {small}
        {clock}
        Version 4.1.2.7
        Slice thickness 0.75
        FFS
        HR 68
        Axial images of the chest
        Lossy compressed 10:1
        Secondary capture
        Visipaque 320 iv 80 ml
        Right ventricle, apical view
        Renal colic, no contrast
        Venous phase
        Magnification 2x
        """),
)
