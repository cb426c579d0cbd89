"""InfoTypes that the engine finds: names, meanings, and default use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownInfoType:
    """A kind of sensitive text.

    Attributes:
        name: Name in the API.
        description: Text that it stands for, and the check of a candidate.
        in_tags: Whether it is found in data elements by default.
        broader: InfoType whose transformation applies if the config does not name this one; may be empty.
    """

    name: str
    description: str
    in_tags: bool = True
    broader: str = ""


INFO_TYPES: dict[str, KnownInfoType] = {
    item.name: item
    for item in (
        KnownInfoType("AGE", "A person's age: '45 y/o', '067Y', 'Age: 3 months'. A bare number does not count."),
        KnownInfoType(
            "AUSTRALIA_MEDICARE_NUMBER", "Ten or eleven digits with a cue beside them and a right check digit."
        ),
        KnownInfoType("AUSTRALIA_TAX_FILE_NUMBER", "Nine digits with a cue beside them and a right check digit."),
        KnownInfoType("BELGIUM_NATIONAL_ID_CARD_NUMBER", "Eleven digits whose last two are right modulo 97."),
        KnownInfoType("BRAZIL_CPF_NUMBER", "Eleven digits with two right check digits."),
        KnownInfoType("CHINA_RESIDENT_ID_NUMBER", "18 characters with a day in them and a right check character."),
        KnownInfoType("DENMARK_CPR_NUMBER", "A day and four digits, with a hyphen between them."),
        KnownInfoType(
            "FINLAND_NATIONAL_ID_NUMBER", "A day, a sign and four characters, the last of them right modulo 31."
        ),
        KnownInfoType("FRANCE_NIR", "15 characters with a right key."),
        KnownInfoType(
            "GERMANY_TAXPAYER_IDENTIFICATION_NUMBER", "Eleven digits with a cue beside them and a right check digit."
        ),
        KnownInfoType(
            "GOVERNMENT_ID", "Numbers of South Africa, Romania, Portugal and the Emirates, with right check digits."
        ),
        KnownInfoType("HONG_KONG_ID_NUMBER", "One or two letters, six digits and a right check digit in parentheses."),
        KnownInfoType("INDIA_AADHAAR_INDIVIDUAL", "Twelve digits that pass the Verhoeff check."),
        KnownInfoType("INDIA_PAN_INDIVIDUAL", "Ten characters in the form of a person's PAN, with a cue beside them."),
        KnownInfoType("IRELAND_PPSN", "Seven digits and a right letter, with a cue beside them."),
        KnownInfoType("ISRAEL_IDENTITY_CARD_NUMBER", "Nine digits with a cue beside them, that pass the Luhn check."),
        KnownInfoType("ITALY_FISCAL_CODE", "16 characters, the last of them right."),
        KnownInfoType("JAPAN_INDIVIDUAL_NUMBER", "Twelve digits with a cue beside them and a right check digit."),
        KnownInfoType("KOREA_RRN", "A day and seven digits, with a hyphen between them."),
        KnownInfoType(
            "MEDICAL_ID", "A German health insurance number: a letter and nine digits, the last of them right."
        ),
        KnownInfoType("MEXICO_CURP_NUMBER", "18 characters in the form of a CURP, with a day in them."),
        KnownInfoType("NETHERLANDS_BSN_NUMBER", "Nine digits with a cue beside them, that pass the eleven test."),
        KnownInfoType("NEW_ZEALAND_NHI_NUMBER", "Three letters and four characters, with a cue beside them."),
        KnownInfoType("NORWAY_NI_NUMBER", "Eleven digits with two right check digits."),
        KnownInfoType("POLAND_PESEL_NUMBER", "Eleven digits with a month in them and a right check digit."),
        KnownInfoType("SINGAPORE_NATIONAL_REGISTRATION_ID_NUMBER", "A letter, seven digits and a right letter."),
        KnownInfoType("SPAIN_DNI_NUMBER", "Eight digits and a right letter."),
        KnownInfoType("SPAIN_NIE_NUMBER", "X, Y or Z, seven digits and a right letter."),
        KnownInfoType("SWEDEN_NATIONAL_ID_NUMBER", "A day, a sign and four digits that pass the Luhn check."),
        KnownInfoType("SWITZERLAND_SOCIAL_SECURITY_NUMBER", "13 digits from 756 on with a right check digit."),
        KnownInfoType("THAILAND_NATIONAL_ID_NUMBER", "13 digits with a cue or in groups, the last of them right."),
        KnownInfoType("TURKEY_ID_NUMBER", "Eleven digits, two of them right check digits."),
        KnownInfoType(
            "UK_NATIONAL_INSURANCE_NUMBER", "Two letters, six digits and a letter, in the form HMRC gives out."
        ),
        KnownInfoType("US_MEDICARE_BENEFICIARY_ID_NUMBER", "Eleven characters in the form CMS gives out."),
        KnownInfoType("CREDIT_CARD_NUMBER", "12 to 19 digits of a known issuer range that pass the Luhn check."),
        KnownInfoType(
            "CANADA_SOCIAL_INSURANCE_NUMBER", "Nine digits with a cue beside them, that pass the Luhn check."
        ),
        KnownInfoType("DATE", "A calendar date in any format, with its time of day; a year alone does not count."),
        KnownInfoType(
            "DATE_OF_BIRTH",
            "A date with a birth cue, or the date of the instance's own Patient's Birth Date.",
            in_tags=False,
            broader="DATE",
        ),
        KnownInfoType("EMAIL_ADDRESS", "A mailbox at a domain."),
        KnownInfoType(
            "IBAN_CODE", "A bank account number of its country's length whose remainder modulo 97 is 1 (ISO 13616)."
        ),
        KnownInfoType(
            "ICD10_CODE",
            "A diagnosis code with a point or a cue; looked for only when named.",
            in_tags=False,
        ),
        KnownInfoType(
            "ICD9_CODE",
            "A diagnosis code with a cue beside it; looked for only when named.",
            in_tags=False,
        ),
        KnownInfoType(
            "IMEI_HARDWARE_ID", "A mobile phone's 15 digits with a cue or in groups, that pass the Luhn check."
        ),
        KnownInfoType("IP_ADDRESS", "An IPv4 or IPv6 address; dotted version numbers and UIDs do not count."),
        KnownInfoType("LOCATION", "A street address, postcode, city, state, country or care facility."),
        KnownInfoType("MAC_ADDRESS", "Six octets of hardware address, in the colon, hyphen and dotted spellings."),
        KnownInfoType(
            "MEDICAL_RECORD_NUMBER",
            "A patient, visit, study or accession number: one with a cue, or one of the instance's own.",
            in_tags=False,
        ),
        KnownInfoType(
            "ORGANIZATION_NAME",
            "A hospital, clinic, practice or department by name, or the instance's own institution.",
            in_tags=False,
            broader="LOCATION",
        ),
        KnownInfoType("PASSPORT", "A passport number with a cue beside it."),
        KnownInfoType("PERSON_NAME", "A person's name: by cue, by form, by lexicon, or one of the instance's own."),
        KnownInfoType("PHONE_NUMBER", "A telephone, fax or pager number in national or international form."),
        KnownInfoType(
            "SWIFT_CODE", "A bank identifier (ISO 9362) with a real country code, and a cue or a digit in it."
        ),
        KnownInfoType(
            "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
            "Ten digits with a cue or in groups of 3, 3 and 4, the last of them a right check digit.",
        ),
        KnownInfoType("URL", "A web address, with its path and query."),
        KnownInfoType("US_BANK_ROUTING_MICR", "Nine digits with a cue beside them and a right check digit."),
        KnownInfoType("US_DEA_NUMBER", "A prescriber's number with a cue beside it and a right check digit."),
        KnownInfoType("US_DRIVERS_LICENSE_NUMBER", "A driver's license number with a cue beside it."),
        KnownInfoType("US_HEALTHCARE_NPI", "A provider's ten digits with a cue beside them, that pass the Luhn check."),
        KnownInfoType(
            "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER", "9xx-xx-xxxx with a group number in use for ITINs."
        ),
        KnownInfoType("US_SOCIAL_SECURITY_NUMBER", "xxx-xx-xxxx in an assignable range; nine bare digits need a cue."),
        KnownInfoType("US_VEHICLE_IDENTIFICATION_NUMBER", "17 characters whose check digit is right."),
    )
}
"""InfoTypes that the engine finds without a model. Source of names: Sensitive Data Protection's infoType reference."""

DATE_TYPES = frozenset({"DATE", "DATE_OF_BIRTH"})
CONTEXT = "CTX"
"""A phrase that repeats an identifying header value. Not an infoType of the API."""


def broader(name: str) -> str:
    """Return the infoType that stands in for another, or an empty string."""
    known = INFO_TYPES.get(name)
    return known.broader if known else ""
