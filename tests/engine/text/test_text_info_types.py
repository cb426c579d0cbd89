"""Every infoType: texts that are findings, and look-alikes that are not. The table is the specification."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine.plan.compile import compile_text
from healthcare_deid.engine.text.engine import InstanceText, TextEngine
from healthcare_deid.engine.text.info_types import INFO_TYPES

Found = Callable[[InstanceText, str], list[tuple[str, str]]]

CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # infoType: texts with one between «», and texts with none
    "AUSTRALIA_MEDICARE_NUMBER": (("Medicare «3478878384»", "Medicare «3906044319»"), ("3526018159", "3083016613")),
    "AUSTRALIA_TAX_FILE_NUMBER": (("TFN «544992070»", "TFN «191284529»"), ("829657249", "208682889")),
    "BELGIUM_NATIONAL_ID_CARD_NUMBER": (
        ("RRN «61.10.24-029.49»", "RRN «52.04.07-312.45»"),
        ("92.11.17-415.37", "97.08.13-020.77"),
    ),
    "BRAZIL_CPF_NUMBER": (("CPF «610.008.577-19»", "CPF «558.723.980-26»"), ("995.682.307-51", "571.259.054-89")),
    "CHINA_RESIDENT_ID_NUMBER": (
        ("ID «110105194912314872»", "ID «110105194912314856»"),
        ("110105194912316403", "110105194912314171"),
    ),
    "DENMARK_CPR_NUMBER": (("CPR «050567-3850»", "CPR «150990-5773»"), ("310262-5280", "991399-1234")),
    "FINLAND_NATIONAL_ID_NUMBER": (("hetu «161172-431N»", "hetu «070447-746X»"), ("080367-0357", "270289-796D")),
    "FRANCE_NIR": (("NIR «212057593279837»", "NIR «203057533144147»"), ("250057531563635", "293057560884477")),
    "GERMANY_TAXPAYER_IDENTIFICATION_NUMBER": (
        ("Steuer-ID «81405296861»", "Steuer-ID «86357668841»"),
        ("82404735361", "83015177033"),
    ),
    "GOVERNMENT_ID": (("ID «7804147493082»", "ID «4910173751088»"), ("7701217432087", "6410095298082")),
    "HONG_KONG_ID_NUMBER": (("HKID «A192132(3)»", "HKID «A237535(7)»"), ("A228354(4)", "A143606(3)")),
    "INDIA_AADHAAR_INDIVIDUAL": (
        ("Aadhaar «2702 0271 1700»", "Aadhaar «2360 7631 1346»"),
        ("2768 1632 0963", "2547 6608 0509"),
    ),
    "INDIA_PAN_INDIVIDUAL": (("PAN «GQNPW7656D»", "PAN «HCKPU1976N»"), ("GQNPW765", "GQNPW7656D77")),
    "IRELAND_PPSN": (("PPSN «2756479S»", "PPSN «1225910F»"), ("9830878L", "5485593D")),
    "ISRAEL_IDENTITY_CARD_NUMBER": (
        ("teudat zehut «023032337»", "teudat zehut «071814818»"),
        ("006581520", "011362775"),
    ),
    "ITALY_FISCAL_CODE": (("CF «RSSMRA53A16H501H»", "CF «RSSMRA29A15H501D»"), ("RSSMRA58A19H501Y", "RSSMRA24A17H501W")),
    "JAPAN_INDIVIDUAL_NUMBER": (
        ("My Number «9168 6474 8427»", "My Number «4386 9322 0306»"),
        ("2970 3764 2288", "9681 1860 6959"),
    ),
    "KOREA_RRN": (("RRN «820128-1733559»", "RRN «971020-1512728»"), ("820128-17335", "820128-173355977")),
    "MEDICAL_ID": (("KVNR «U717721492»", "KVNR «T013701648»"), ("F093749230", "R753575292")),
    "MEXICO_CURP_NUMBER": (
        ("CURP «GOMC940822HDFRRN06»", "CURP «GOMC590515HDFRRN02»"),
        ("GOMC940822HDFRRN", "GOMC940822HDFRRN0677"),
    ),
    "NETHERLANDS_BSN_NUMBER": (("BSN «141149061»", "BSN «108600713»"), ("113338952", "114298805")),
    "NEW_ZEALAND_NHI_NUMBER": (("NHI «CHE4050»", "NHI «JGY9983»"), ("CHE40", "CHE405077")),
    "NORWAY_NI_NUMBER": (("fnr «02085404388»", "fnr «28069354027»"), ("01086238463", "15115699264")),
    "POLAND_PESEL_NUMBER": (("PESEL «43032675686»", "PESEL «41111451710»"), ("69121188064", "92081488549")),
    "SINGAPORE_NATIONAL_REGISTRATION_ID_NUMBER": (("NRIC «S8591722F»", "NRIC «S2022258A»"), ("S9796798J", "S5143350B")),
    "SPAIN_DNI_NUMBER": (("DNI «69547363D»", "DNI «44060244H»"), ("06646756Q", "36740101R")),
    "SPAIN_NIE_NUMBER": (("NIE «X9174376K»", "NIE «X2094111F»"), ("X0860327G", "X4093480L")),
    "SWEDEN_NATIONAL_ID_NUMBER": (
        ("personnummer «720911-1116»", "personnummer «500615-1087»"),
        ("930123-6103", "580824-3506"),
    ),
    "SWITZERLAND_SOCIAL_SECURITY_NUMBER": (
        ("AHV «756.6344.7104.78»", "AHV «756.4844.1349.09»"),
        ("756.1507.3488.94", "756.4312.5751.82"),
    ),
    "THAILAND_NATIONAL_ID_NUMBER": (
        ("«6-0898-79727-00-1»", "«8-9631-49190-97-2»"),
        ("7-2597-92296-53-9", "6-7959-00513-97-5"),
    ),
    "TURKEY_ID_NUMBER": (("TC «15095270986»", "TC «12263856980»"), ("19013947275", "15416125884")),
    "UK_NATIONAL_INSURANCE_NUMBER": (("NI «AB 29 07 61 C»", "NI «AB 37 49 45 C»"), ("AB 29 07 61", "AB 29 07 61 C77")),
    "US_MEDICARE_BENEFICIARY_ID_NUMBER": (
        ("MBI «1EG4-TE8-MK77»", "MBI «1EG4-TE1-MK77»"),
        ("1EG4-TE8-MK", "1EG4-TE8-MK7777"),
    ),
    "AGE": (
        ("a «45-year-old» man", "Age: «3 months»", "DOE «067Y»", "«58 Jahre»"),
        ("45 mm", "T1 5 year survival", "3 months after surgery", "067", "grade 45"),
    ),
    "CANADA_SOCIAL_INSURANCE_NUMBER": (
        ("SIN «130 692 544»", "social insurance no. «193-456-787»"),
        ("SIN 130 692 545", "SIN 046 454 286", "130 692 544 IU"),
    ),
    "CREDIT_CARD_NUMBER": (
        ("card «4111 1111 1111 1111»", "«378282246310005»", "«6011-1111-1111-1117»"),
        ("card 4111 1111 1111 1112", "9999 9999 9999 9995", "1.2.4111111111111111.3"),
    ),
    "DATE": (
        ("on «4 July 2019»", "«2019-07-04 10:12»", "«04.07.19»", "«20190704»", "«Christmas 2016»"),
        ("2019-13-04", "T 10:12", "1.2.840.10008", "16/8 slices", "July protocol"),
    ),
    "DATE_OF_BIRTH": (
        ("DOB «04/07/1961»", "geb. «04.07.1961»", "né le «4 juillet 1961»"),
        ("exam 1961 series", "DOB unknown", "born premature"),
    ),
    "EMAIL_ADDRESS": (
        ("to «j.doe+x@mail.example.org»", "«doe@klinik.de»"),
        ("dose@rate", "@home", "10 mg @ 5"),
    ),
    "IBAN_CODE": (
        ("«DE89 3704 0044 0532 0130 00»", "pay «GB82WEST12345698765432»"),
        ("DE88 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130", "ZZ89370400440532013000"),
    ),
    "ICD10_CODE": (
        ("dx «C34.90»", "ICD-10: «I10»", "«M54.5» lumbago"),
        ("C5.5", "T12 fracture", "L4-L5", "U90.1"),
    ),
    "ICD9_CODE": (
        ("ICD-9: «250.00»", "ICD9 «V58.69» follow-up"),
        ("250.00 ml", "120.5", "V58.69"),
    ),
    "IMEI_HARDWARE_ID": (
        ("IMEI «490154203237518»", "«49-015420-323751-8»"),
        ("IMEI 490154203237519", "49-015420-323751-9"),
    ),
    "IP_ADDRESS": (
        ("host «192.168.10.4»", "«fe80::1ff:fe23:4567:890a»"),
        ("v10.2.1.4", "1.2.3.4.5", "256.1.1.300", "10:12:33"),
    ),
    "LOCATION": (
        ("lives in «Wollongong»", "«221B Baker Street»", "«SW1A 1AA»", "«Dayton, OH 45402»"),
        ("located in the liver", "3 views", "L4 OK", "located at T12", "Region: Abdomen, CT", "T1 post 320"),
    ),
    "MAC_ADDRESS": (
        ("«00:1B:44:11:3A:B7»", "«00-1b-44-11-3a-b7»", "«001b.4411.3ab7»"),
        ("00:1B:44:11:3A", "00:1B:44:11:3A:G7", "00-1B:44-11-3A-B7"),
    ),
    "MEDICAL_RECORD_NUMBER": (
        ("MRN «00-12-345»", "Acc# «A1234567»", "Patient ID: «778123»"),
        ("778123 pixels", "Series 4 Image 12", "Accession pending"),
    ),
    "ORGANIZATION_NAME": (
        ("at «Cedar Ridge Medical Center»", "«Klinikum Rosenheim»", "«Hôpital Cochin»"),
        ("medical center visit", "hospital bed", "outpatient clinic"),
    ),
    "PASSPORT": (
        ("passport «X1234567»", "Reisepass Nr. «C12345678»", "passport «C01X00T47»"),
        ("X1234567", "passport lost"),
    ),
    "PERSON_NAME": (
        (
            *("Dr. «Wilson»", "«KIPCHUMBA»", "«Park Soojin»", "«Kowalski^Anna»", "signed by «jsmith»"),
            *(
                "née «Nordlander»",
                "geb. «Nordlander»",
                "maiden name «Brands»",
                "user «mluoma»",
                "logged in as «kkurt»",
                "«King» began writing",
            ),
            "Prof. «Sebastien Coste»",
        ),
        (
            *("Wilson disease", "SIEMENS", "CHOLANGIOGRAM", "Sagittal", "by mouth", "Mass grew from 2 to 3 cm"),
            *("born Preterm", "user defined", "login failed", "Ziehm C-arm", "Terumo Glidewire"),
        ),
    ),
    "PHONE_NUMBER": (
        (
            "«+44 20 7946 0958»",
            "«(555) 010-4477»",
            "«+81 3 1234 5678»",
            "Tel «089/123456»",
            "pager «4412»",
        ),
        ("20 7946", "555 010", "010-44-77-9", "1.2.840.113619"),
    ),
    "SWIFT_CODE": (("SWIFT: «DEUTDEFF»", "«DEUTDEFF500»"), ("DEUTZZFF500", "MONOCHROME2", "SWIFT: DEUTZZFF")),
    "UK_NATIONAL_HEALTH_SERVICE_NUMBER": (
        ("NHS no «9434765919»", "«943 476 5919»"),
        ("943 476 5918", "943 476 59190"),
    ),
    "URL": (("see «https://pacs.example.org/p?id=7».", "«www.example.org»"), ("w/o contrast", "http", "a//b")),
    "US_BANK_ROUTING_MICR": (("ABA «021000021»", "routing no. «011401533»"), ("ABA 021000022", "021000021")),
    "US_DEA_NUMBER": (
        ("DEA «AB1234563»", "DEA# «BJ6125341»"),
        ("DEA AB1234564", "AB1234563"),
    ),
    "US_DRIVERS_LICENSE_NUMBER": (("DL# «D1234567»", "driver's license «B6612345»"), ("D1234567", "DL lens")),
    "US_HEALTHCARE_NPI": (("NPI «1234567893»", "NPI: «1245319599»"), ("NPI 1234567890", "1234567893")),
    "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER": (
        ("«912-75-1234»", "ITIN «999941234»"),
        ("912-69-1234", "812-75-12345"),
    ),
    "US_SOCIAL_SECURITY_NUMBER": (
        ("«219-09-9999»", "ssn «219099999»"),
        ("666-09-9999", "000-12-3456", "219-00-9999", "219-09-0000", "219099999 bytes"),
    ),
    "US_VEHICLE_IDENTIFICATION_NUMBER": (
        ("VIN «1M8GDM9AXKP042788»", "«1HGCM82633A004352»"),
        ("1M8GDM9A1KP042788", "1HGCM82633AO04352", "1M8GDM9AXKP04278"),
    ),
}


@pytest.fixture(scope="module")
def every() -> InstanceText:
    """An engine whose config names every infoType, so that each is looked for and reported as itself."""
    transformation = {"infoTypes": sorted(INFO_TYPES), "redactConfig": {}}
    config = DeidentifyConfig.model_validate({"text": {"additionalTransformations": [transformation]}})
    return TextEngine(compile_text(config)).bind(Dataset())


def test_the_table_has_every_infotype_with_two_of_each() -> None:
    assert CASES.keys() == INFO_TYPES.keys()
    assert all(len(right) >= 2 and len(wrong) >= 2 for right, wrong in CASES.values())


@pytest.mark.parametrize(("info_type", "text"), [(name, text) for name, (right, _) in CASES.items() for text in right])
def test_one_of_the_infotype_is_found_from_end_to_end(every: InstanceText, info_type: str, text: str) -> None:
    finding = text[text.index("«") + 1 : text.index("»")]
    plain = text.replace("«", "").replace("»", "")
    result = every.transform(plain, "UT")
    assert f"infoType:{info_type}" in result.rules
    assert finding not in result.value
    assert result.value.replace(" ", "") == plain.replace(finding, "").replace(" ", "")


@pytest.mark.parametrize(("info_type", "text"), [(name, text) for name, (_, wrong) in CASES.items() for text in wrong])
def test_a_look_alike_is_not_a_finding(every: InstanceText, info_type: str, text: str) -> None:
    assert f"infoType:{info_type}" not in every.transform(text, "UT").rules


def test_infotypes_that_identify_nobody_are_found_only_when_named(stranger: InstanceText, found: Found) -> None:
    assert found(stranger, "dx C34.90, ICD-9: 250.00") == []
