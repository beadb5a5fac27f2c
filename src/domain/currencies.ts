// ISO 4217: the currencies money may be in, and how many digits their minor unit has. Checked in, never asked of Intl.

const byExponent: Readonly<Record<number, string>> = {
  0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
  2:
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF " +
    "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF " +
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN " +
    "MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS " +
    "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW " +
    "ZWG",
  3: "BHD IQD JOD KWD LYD OMR TND",
  4: "CLF UYW",
};

/** Listed by ISO 4217 without a minor unit (N.A.): not money an order can be paid in. */
const withoutExponent = new Set("XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX".split(" "));

const exponents: ReadonlyMap<string, number> = new Map(
  Object.entries(byExponent).flatMap(([exponent, codes]) =>
    codes.split(" ").map((code): [string, number] => [code, Number(exponent)]),
  ),
);

/** Digits after the decimal point of a currency's major unit; undefined where the code is refused. */
export function exponentOf(currency: string): number | undefined {
  return exponents.get(currency);
}

/** Every currency an order can be in, in alphabetical order. */
export const currencies: readonly string[] = [...exponents.keys()].sort();

/** Why a code is no currency here, in words; undefined where it is one. */
export function currencyFault(code: string): string | undefined {
  if (exponents.has(code)) return undefined;
  if (withoutExponent.has(code)) return `ISO 4217 lists ${code} without a minor unit`;
  return `${JSON.stringify(code.slice(0, 16))} is not a currency code of ISO 4217`;
}
