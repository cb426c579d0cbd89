"""Documented infoTypes of Sensitive Data Protection, the API's inspection service.

The API accepts any name, so a custom infoType is plain text wherever an `InfoType` is accepted. The infoTypes that the
service looks for by default are not fully documented; `DEFAULT_DICOM_INFO_TYPES` is assumed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class InfoType(StrEnum):
    """A kind of sensitive text; members are text: ``InfoType.DATE == "DATE"``."""

    _description: str

    def __new__(cls, name: str, description: str = "") -> Self:
        """Make a member from its name and description."""
        member = str.__new__(cls, name)
        member._value_ = name
        member._description = description
        return member

    @property
    def description(self) -> str:
        """Short description."""
        return self._description

    # People
    PERSON_NAME = "PERSON_NAME", "A person's name, first, last or full"
    FIRST_NAME = "FIRST_NAME", "A person's first name"
    LAST_NAME = "LAST_NAME", "A person's last name"
    FEMALE_NAME = "FEMALE_NAME", "A name that women commonly bear"
    MALE_NAME = "MALE_NAME", "A name that men commonly bear"
    AGE = "AGE", "An age in months or years"
    DATE_OF_BIRTH = "DATE_OF_BIRTH", "A date that the context shows to be one of birth"
    GENDER = "GENDER", "A person's gender identity"
    ETHNIC_GROUP = "ETHNIC_GROUP", "An ethnic group"
    RELIGIOUS_TERM = "RELIGIOUS_TERM", "A word about religion"
    SEXUAL_ORIENTATION = "SEXUAL_ORIENTATION", "A word about sexual orientation"
    MARITAL_STATUS = "MARITAL_STATUS", "Single, married, widowed and the like"
    IMMIGRATION_STATUS = "IMMIGRATION_STATUS", "A person's immigration status"
    EMPLOYMENT_STATUS = "EMPLOYMENT_STATUS", "A person's employment status"
    TRADE_UNION = "TRADE_UNION", "Membership in a trade union"
    DEMOGRAPHIC_DATA = "DEMOGRAPHIC_DATA", "Any of the demographic infoTypes"

    # Contact and place
    EMAIL_ADDRESS = "EMAIL_ADDRESS", "An e-mail address"
    PHONE_NUMBER = "PHONE_NUMBER", "A telephone number"
    STREET_ADDRESS = "STREET_ADDRESS", "A street address"
    LOCATION = "LOCATION", "A place or address; not under regional processing"
    LOCATION_COORDINATES = "LOCATION_COORDINATES", "Latitude and longitude"
    GEOGRAPHIC_DATA = "GEOGRAPHIC_DATA", "Any of the geographic infoTypes"
    ORGANIZATION_NAME = (
        "ORGANIZATION_NAME",
        "The name of a business, store or institution; not under regional processing",
    )

    # Dates
    DATE = "DATE", "A date, in most of the ways that dates are written"
    TIME = "TIME", "A time of day"

    # Health
    BLOOD_TYPE = "BLOOD_TYPE", "A blood group"
    FDA_CODE = "FDA_CODE", "A United States National Drug Code"
    ICD9_CODE = "ICD9_CODE", "A diagnosis code of ICD-9-CM"
    ICD10_CODE = "ICD10_CODE", "A diagnosis code of ICD-10-CM"
    MEDICAL_DATA = "MEDICAL_DATA", "Any of the medical infoTypes"
    MEDICAL_ID = "MEDICAL_ID", "An identifier of a patient or of a provider"
    MEDICAL_RECORD_NUMBER = "MEDICAL_RECORD_NUMBER", "A medical record number"
    MEDICAL_TERM = "MEDICAL_TERM", "The name of a condition, disease, treatment or drug"
    AUSTRALIA_MEDICARE_NUMBER = "AUSTRALIA_MEDICARE_NUMBER", "An Australian Medicare number"
    CANADA_BC_PHN = "CANADA_BC_PHN", "A British Columbia personal health number"
    CANADA_OHIP = "CANADA_OHIP", "An Ontario health insurance number"
    CANADA_QUEBEC_HIN = "CANADA_QUEBEC_HIN", "A Quebec health insurance number"
    NEW_ZEALAND_NHI_NUMBER = "NEW_ZEALAND_NHI_NUMBER", "A New Zealand National Health Index number"
    UK_NATIONAL_HEALTH_SERVICE_NUMBER = "UK_NATIONAL_HEALTH_SERVICE_NUMBER", "A United Kingdom NHS number"
    US_DEA_NUMBER = "US_DEA_NUMBER", "A number of the United States Drug Enforcement Administration for prescribers"
    US_HEALTHCARE_NPI = "US_HEALTHCARE_NPI", "A United States National Provider Identifier"
    US_MEDICARE_BENEFICIARY_ID_NUMBER = (
        "US_MEDICARE_BENEFICIARY_ID_NUMBER",
        "A United States Medicare beneficiary identifier",
    )

    # Government identifiers
    GOVERNMENT_ID = "GOVERNMENT_ID", "Any of the government identifiers"
    GENERIC_ID = "GENERIC_ID", "An identifier of no known kind"
    PASSPORT = "PASSPORT", "A passport number of any covered country"
    DRIVERS_LICENSE_NUMBER = "DRIVERS_LICENSE_NUMBER", "A driver's license number of any covered country"
    VAT_NUMBER = "VAT_NUMBER", "A value-added tax number"
    VEHICLE_IDENTIFICATION_NUMBER = "VEHICLE_IDENTIFICATION_NUMBER", "A vehicle identification number"
    ARGENTINA_DNI_NUMBER = "ARGENTINA_DNI_NUMBER", "An Argentine identity card number"
    AUSTRALIA_DRIVERS_LICENSE_NUMBER = "AUSTRALIA_DRIVERS_LICENSE_NUMBER", "An Australian driver's license number"
    AUSTRALIA_PASSPORT = "AUSTRALIA_PASSPORT", "An Australian passport number"
    AUSTRALIA_TAX_FILE_NUMBER = "AUSTRALIA_TAX_FILE_NUMBER", "An Australian tax file number"
    BELGIUM_NATIONAL_ID_CARD_NUMBER = "BELGIUM_NATIONAL_ID_CARD_NUMBER", "A Belgian identity card number"
    BRAZIL_CPF_NUMBER = "BRAZIL_CPF_NUMBER", "A Brazilian taxpayer number"
    CANADA_DRIVERS_LICENSE_NUMBER = "CANADA_DRIVERS_LICENSE_NUMBER", "A Canadian driver's license number"
    CANADA_PASSPORT = "CANADA_PASSPORT", "A Canadian passport number"
    CANADA_SOCIAL_INSURANCE_NUMBER = "CANADA_SOCIAL_INSURANCE_NUMBER", "A Canadian social insurance number"
    CHILE_CDI_NUMBER = "CHILE_CDI_NUMBER", "A Chilean identity number"
    CHINA_PASSPORT = "CHINA_PASSPORT", "A Chinese passport number"
    CHINA_RESIDENT_ID_NUMBER = "CHINA_RESIDENT_ID_NUMBER", "A Chinese resident identity number"
    COLOMBIA_CDC_NUMBER = "COLOMBIA_CDC_NUMBER", "A Colombian citizenship card number"
    DENMARK_CPR_NUMBER = "DENMARK_CPR_NUMBER", "A Danish personal number"
    FINLAND_NATIONAL_ID_NUMBER = "FINLAND_NATIONAL_ID_NUMBER", "A Finnish personal identity code"
    FRANCE_CNI = "FRANCE_CNI", "A French identity card number"
    FRANCE_DRIVERS_LICENSE_NUMBER = "FRANCE_DRIVERS_LICENSE_NUMBER", "A French driver's license number"
    FRANCE_NIR = "FRANCE_NIR", "A French social security number"
    FRANCE_PASSPORT = "FRANCE_PASSPORT", "A French passport number"
    FRANCE_TAX_IDENTIFICATION_NUMBER = "FRANCE_TAX_IDENTIFICATION_NUMBER", "A French tax number"
    GERMANY_DRIVERS_LICENSE_NUMBER = "GERMANY_DRIVERS_LICENSE_NUMBER", "A German driver's license number"
    GERMANY_IDENTITY_CARD_NUMBER = "GERMANY_IDENTITY_CARD_NUMBER", "A German identity card number"
    GERMANY_PASSPORT = "GERMANY_PASSPORT", "A German passport number"
    GERMANY_SCHUFA_ID = "GERMANY_SCHUFA_ID", "A German credit bureau identifier"
    GERMANY_TAXPAYER_IDENTIFICATION_NUMBER = "GERMANY_TAXPAYER_IDENTIFICATION_NUMBER", "A German tax number"
    HONG_KONG_ID_NUMBER = "HONG_KONG_ID_NUMBER", "A Hong Kong identity card number"
    INDIA_AADHAAR_INDIVIDUAL = "INDIA_AADHAAR_INDIVIDUAL", "An Indian Aadhaar number"
    INDIA_PAN_INDIVIDUAL = "INDIA_PAN_INDIVIDUAL", "An Indian permanent account number"
    INDONESIA_NIK_NUMBER = "INDONESIA_NIK_NUMBER", "An Indonesian identity number"
    IRELAND_DRIVING_LICENSE_NUMBER = "IRELAND_DRIVING_LICENSE_NUMBER", "An Irish driving license number"
    IRELAND_PASSPORT = "IRELAND_PASSPORT", "An Irish passport number"
    IRELAND_PPSN = "IRELAND_PPSN", "An Irish personal public service number"
    ISRAEL_IDENTITY_CARD_NUMBER = "ISRAEL_IDENTITY_CARD_NUMBER", "An Israeli identity number"
    ITALY_FISCAL_CODE = "ITALY_FISCAL_CODE", "An Italian fiscal code"
    JAPAN_DRIVERS_LICENSE_NUMBER = "JAPAN_DRIVERS_LICENSE_NUMBER", "A Japanese driver's license number"
    JAPAN_INDIVIDUAL_NUMBER = "JAPAN_INDIVIDUAL_NUMBER", "A Japanese individual number"
    JAPAN_PASSPORT = "JAPAN_PASSPORT", "A Japanese passport number"
    KOREA_PASSPORT = "KOREA_PASSPORT", "A Korean passport number"
    KOREA_RRN = "KOREA_RRN", "A Korean resident registration number"
    MEXICO_CURP_NUMBER = "MEXICO_CURP_NUMBER", "A Mexican population registry code"
    MEXICO_PASSPORT = "MEXICO_PASSPORT", "A Mexican passport number"
    NETHERLANDS_BSN_NUMBER = "NETHERLANDS_BSN_NUMBER", "A Dutch citizen service number"
    NETHERLANDS_PASSPORT = "NETHERLANDS_PASSPORT", "A Dutch passport number"
    NEW_ZEALAND_IRD_NUMBER = "NEW_ZEALAND_IRD_NUMBER", "A New Zealand tax number"
    NORWAY_NI_NUMBER = "NORWAY_NI_NUMBER", "A Norwegian identity number"
    PARAGUAY_CIC_NUMBER = "PARAGUAY_CIC_NUMBER", "A Paraguayan identity number"
    PERU_DNI_NUMBER = "PERU_DNI_NUMBER", "A Peruvian identity number"
    POLAND_NATIONAL_ID_NUMBER = "POLAND_NATIONAL_ID_NUMBER", "A Polish identity card number"
    POLAND_PASSPORT = "POLAND_PASSPORT", "A Polish passport number"
    POLAND_PESEL_NUMBER = "POLAND_PESEL_NUMBER", "A Polish PESEL number"
    PORTUGAL_CDC_NUMBER = "PORTUGAL_CDC_NUMBER", "A Portuguese citizen card number"
    SINGAPORE_NATIONAL_REGISTRATION_ID_NUMBER = (
        "SINGAPORE_NATIONAL_REGISTRATION_ID_NUMBER",
        "A Singaporean identity number",
    )
    SINGAPORE_PASSPORT = "SINGAPORE_PASSPORT", "A Singaporean passport number"
    SPAIN_DNI_NUMBER = "SPAIN_DNI_NUMBER", "A Spanish identity number"
    SPAIN_DRIVERS_LICENSE_NUMBER = "SPAIN_DRIVERS_LICENSE_NUMBER", "A Spanish driver's license number"
    SPAIN_NIE_NUMBER = "SPAIN_NIE_NUMBER", "A Spanish foreigner's number"
    SPAIN_NIF_NUMBER = "SPAIN_NIF_NUMBER", "A Spanish tax number"
    SPAIN_PASSPORT = "SPAIN_PASSPORT", "A Spanish passport number"
    SPAIN_SOCIAL_SECURITY_NUMBER = "SPAIN_SOCIAL_SECURITY_NUMBER", "A Spanish social security number"
    SWEDEN_NATIONAL_ID_NUMBER = "SWEDEN_NATIONAL_ID_NUMBER", "A Swedish personal number"
    SWEDEN_PASSPORT = "SWEDEN_PASSPORT", "A Swedish passport number"
    SWITZERLAND_SOCIAL_SECURITY_NUMBER = "SWITZERLAND_SOCIAL_SECURITY_NUMBER", "A Swiss social security number"
    TAIWAN_PASSPORT = "TAIWAN_PASSPORT", "A Taiwanese passport number"
    THAILAND_NATIONAL_ID_NUMBER = "THAILAND_NATIONAL_ID_NUMBER", "A Thai identity number"
    TURKEY_ID_NUMBER = "TURKEY_ID_NUMBER", "A Turkish identity number"
    UK_DRIVERS_LICENSE_NUMBER = "UK_DRIVERS_LICENSE_NUMBER", "A United Kingdom driver's license number"
    UK_NATIONAL_INSURANCE_NUMBER = "UK_NATIONAL_INSURANCE_NUMBER", "A United Kingdom national insurance number"
    UK_PASSPORT = "UK_PASSPORT", "A United Kingdom passport number"
    UK_TAXPAYER_REFERENCE = "UK_TAXPAYER_REFERENCE", "A United Kingdom taxpayer reference"
    URUGUAY_CDI_NUMBER = "URUGUAY_CDI_NUMBER", "A Uruguayan identity number"
    US_ADOPTION_TAXPAYER_IDENTIFICATION_NUMBER = (
        "US_ADOPTION_TAXPAYER_IDENTIFICATION_NUMBER",
        "A United States tax number for a child in adoption",
    )
    US_DRIVERS_LICENSE_NUMBER = "US_DRIVERS_LICENSE_NUMBER", "A United States driver's license number"
    US_EMPLOYER_IDENTIFICATION_NUMBER = (
        "US_EMPLOYER_IDENTIFICATION_NUMBER",
        "A United States employer identification number",
    )
    US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER = (
        "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER",
        "A United States individual taxpayer number",
    )
    US_PASSPORT = "US_PASSPORT", "A United States passport number"
    US_PREPARER_TAXPAYER_IDENTIFICATION_NUMBER = (
        "US_PREPARER_TAXPAYER_IDENTIFICATION_NUMBER",
        "A United States tax preparer's number",
    )
    US_SOCIAL_SECURITY_NUMBER = "US_SOCIAL_SECURITY_NUMBER", "A United States social security number"
    US_STATE = "US_STATE", "The name of a United States state"
    US_TOLLFREE_PHONE_NUMBER = "US_TOLLFREE_PHONE_NUMBER", "A United States toll-free telephone number"
    US_VEHICLE_IDENTIFICATION_NUMBER = (
        "US_VEHICLE_IDENTIFICATION_NUMBER",
        "A United States vehicle identification number",
    )
    VENEZUELA_CDI_NUMBER = "VENEZUELA_CDI_NUMBER", "A Venezuelan identity number"

    # Money
    AMERICAN_BANKERS_CUSIP_ID = "AMERICAN_BANKERS_CUSIP_ID", "A North American securities identifier"
    CREDIT_CARD_NUMBER = "CREDIT_CARD_NUMBER", "A credit card number"
    CREDIT_CARD_TRACK_NUMBER = "CREDIT_CARD_TRACK_NUMBER", "The contents of a credit card's magnetic stripe"
    FINANCIAL_ACCOUNT_NUMBER = "FINANCIAL_ACCOUNT_NUMBER", "A bank or other account number"
    FINANCIAL_ID = "FINANCIAL_ID", "Any of the financial identifiers"
    IBAN_CODE = "IBAN_CODE", "An international bank account number"
    SWIFT_CODE = "SWIFT_CODE", "A bank's SWIFT code"
    US_BANK_ROUTING_MICR = "US_BANK_ROUTING_MICR", "A United States bank routing number"

    # Computers and networks
    ADVERTISING_ID = "ADVERTISING_ID", "An identifier for advertising on a phone"
    AUTH_TOKEN = "AUTH_TOKEN", "A token that identifies a user or machine"
    AWS_CREDENTIALS = "AWS_CREDENTIALS", "Amazon Web Services credentials"
    AZURE_AUTH_TOKEN = "AZURE_AUTH_TOKEN", "Microsoft Azure credentials"
    BASIC_AUTH_HEADER = "BASIC_AUTH_HEADER", "An HTTP basic authentication header"
    DOMAIN_NAME = "DOMAIN_NAME", "An Internet domain name"
    ENCRYPTION_KEY = "ENCRYPTION_KEY", "An encryption key"
    GCP_API_KEY = "GCP_API_KEY", "A Google Cloud API key"
    GCP_CREDENTIALS = "GCP_CREDENTIALS", "Google Cloud credentials"
    HTTP_COOKIE = "HTTP_COOKIE", "An HTTP cookie"
    ICCID_NUMBER = "ICCID_NUMBER", "The number of a SIM card"
    IMEI_HARDWARE_ID = "IMEI_HARDWARE_ID", "The number of a mobile phone"
    IMSI_ID = "IMSI_ID", "The number of a mobile subscriber"
    IP_ADDRESS = "IP_ADDRESS", "An Internet address, of version 4 or 6"
    JSON_WEB_TOKEN = "JSON_WEB_TOKEN", "A JSON web token"
    MAC_ADDRESS = "MAC_ADDRESS", "The hardware address of a network adapter"
    MAC_ADDRESS_LOCAL = "MAC_ADDRESS_LOCAL", "A locally administered hardware address"
    OAUTH_CLIENT_SECRET = "OAUTH_CLIENT_SECRET", "An OAuth client secret"
    PASSWORD = "PASSWORD", "A password in clear"
    SECURITY_DATA = "SECURITY_DATA", "Any of the credentials"
    SSL_CERTIFICATE = "SSL_CERTIFICATE", "A TLS certificate"
    STORAGE_SIGNED_POLICY_DOCUMENT = "STORAGE_SIGNED_POLICY_DOCUMENT", "A signed policy for uploads to Cloud Storage"
    STORAGE_SIGNED_URL = "STORAGE_SIGNED_URL", "A signed URL of Cloud Storage"
    TECHNICAL_ID = "TECHNICAL_ID", "Any of the technical identifiers"
    URL = "URL", "A web address"
    WEAK_PASSWORD_HASH = "WEAK_PASSWORD_HASH", "A password hash that is easily undone"
    XSRF_TOKEN = "XSRF_TOKEN", "A token against cross-site request forgery"


DATE_INFO_TYPES: frozenset[str] = frozenset({InfoType.DATE, InfoType.DATE_OF_BIRTH})
"""InfoTypes that a date shift applies to."""

DEFAULT_DICOM_INFO_TYPES: tuple[InfoType, ...] = (
    InfoType.AGE,
    InfoType.CREDIT_CARD_NUMBER,
    InfoType.DATE,
    InfoType.EMAIL_ADDRESS,
    InfoType.IP_ADDRESS,
    InfoType.LOCATION,
    InfoType.MAC_ADDRESS,
    InfoType.PASSPORT,
    InfoType.PERSON_NAME,
    InfoType.PHONE_NUMBER,
    InfoType.SWIFT_CODE,
    InfoType.US_DRIVERS_LICENSE_NUMBER,
    InfoType.US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER,
    InfoType.US_SOCIAL_SECURITY_NUMBER,
    InfoType.US_VEHICLE_IDENTIFICATION_NUMBER,
)
"""InfoTypes looked for in DICOM if a config names none (assumed: fidelity F-07)."""
