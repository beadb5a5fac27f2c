// Reads CSV text piece by piece into records: quoted fields, doubled quotes, commas and line ends in quotes, CR LF, a byte order mark.

export interface CsvRecord {
  /** The line it begins on, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** Text that is not CSV, and where. */
export class CsvError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.name = "CsvError";
    this.line = line;
    this.column = column;
  }
}

/** Bounds the memory that a quote nobody closes can take. */
const recordLimit = 1024 * 1024;

/** Takes the text in pieces cut anywhere, and gives each piece's finished records; blank lines are no records. */
export class CsvReader {
  #at: "fieldStart" | "plain" | "quoted" | "quoteInQuoted" | "carriageReturn" = "fieldStart";
  #field = "";
  #fields: string[] = [];
  #blank = true;
  #size = 0;
  #line = 1;
  #column = 0;
  #recordLine = 1;
  #quoteLine = 1;
  #quoteColumn = 1;
  #atStartOfText = true;

  /** The line reached. */
  get line(): number {
    return this.#line;
  }

  push(text: string): CsvRecord[] {
    const records: CsvRecord[] = [];
    for (const char of text) {
      if (this.#atStartOfText) {
        this.#atStartOfText = false;
        if (char === "\uFEFF") continue;
      }
      this.#take(char, records);
    }
    return records;
  }

  /** The last record, where the text does not end in a line end. */
  end(): CsvRecord[] {
    const records: CsvRecord[] = [];
    if (this.#at === "quoted") {
      throw new CsvError("a quoted field is not closed", this.#quoteLine, this.#quoteColumn);
    }
    if (this.#at === "carriageReturn") this.#refuse("a carriage return without a line feed");
    this.#endRecord(records);
    return records;
  }

  #take(char: string, records: CsvRecord[]): void {
    this.#column += 1;
    this.#size += char.length;
    if (this.#size > recordLimit) this.#refuse(`a record longer than ${recordLimit} characters`);
    if (this.#at === "quoted") {
      if (char === '"') this.#at = "quoteInQuoted";
      else this.#field += char;
      if (char === "\n") this.#nextLine();
      return;
    }
    if (this.#at === "carriageReturn" && char !== "\n") {
      this.#refuse("a carriage return without a line feed");
    }
    if (char !== "\r" && char !== "\n") this.#blank = false;
    switch (char) {
      case ",":
        this.#endField();
        return;
      case "\r":
        this.#at = "carriageReturn";
        return;
      case "\n":
        this.#nextLine();
        this.#endRecord(records);
        return;
      case '"':
        if (this.#at === "plain") this.#refuse("a quote in a field that does not begin with one");
        if (this.#at === "quoteInQuoted") this.#field += char;
        else [this.#quoteLine, this.#quoteColumn] = [this.#line, this.#column];
        this.#at = "quoted";
        return;
      default:
        if (this.#at === "quoteInQuoted") this.#refuse("text after a closing quote");
        this.#at = "plain";
        this.#field += char;
    }
  }

  #nextLine(): void {
    this.#line += 1;
    this.#column = 0;
  }

  #endField(): void {
    this.#fields.push(this.#field);
    this.#field = "";
    this.#at = "fieldStart";
  }

  #endRecord(records: CsvRecord[]): void {
    const line = this.#recordLine;
    this.#recordLine = this.#line;
    this.#endField();
    if (!this.#blank) records.push({ line, fields: this.#fields });
    this.#fields = [];
    this.#blank = true;
    this.#size = 0;
  }

  #refuse(message: string): never {
    throw new CsvError(message, this.#line, this.#column);
  }
}
