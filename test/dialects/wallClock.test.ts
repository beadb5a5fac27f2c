// Wall clocks: S1's own instants in Shanghai, and back again in zones whose clocks are put forward and back.

import fc from "fast-check";
import { expect, it } from "vitest";

import { instantOf, wallClock } from "../../src/dialects/wallClock.ts";

it("tells Shanghai's time as the sources do", () => {
  expect(wallClock(1_633_858_462_000, "Asia/Shanghai")).toBe("2021-10-10 17:34:22");
  expect(wallClock(1_633_795_200_999, "Asia/Shanghai")).toBe("2021-10-10 00:00:00");
  expect(instantOf("2021-10-10 17:34:22", "Asia/Shanghai")).toBe(1_633_858_462_000);
  expect(instantOf("2021-10-10", "Asia/Shanghai")).toBe(1_633_795_200_000);
});

it.each([
  "",
  "2021-02-29",
  "2021-13-01",
  "2021-10-10 24:00:00",
  "2021-10-10 1:00:00",
  "x2021-10-10",
  "2021-10-10 10:60:00",
])("%s is no time", (text) => {
  expect(instantOf(text, "Asia/Shanghai")).toBeUndefined();
});

it("reads an hour that comes twice as the first, and one that is left out as the one after", () => {
  expect(instantOf("2026-10-25 02:30:00", "Europe/Berlin")).toBe(Date.UTC(2026, 9, 25, 0, 30));
  expect(wallClock(instantOf("2026-03-29 02:30:00", "Europe/Berlin") as number, "Europe/Berlin")).toBe(
    "2026-03-29 03:30:00",
  );
});

it("reads what it writes, but in an hour that comes twice", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4_102_444_800 }),
      fc.constantFrom("Asia/Shanghai", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"),
      (seconds, zone) => {
        const text = wallClock(seconds * 1_000, zone);
        const back = instantOf(text, zone) as number;
        expect(wallClock(back, zone)).toBe(text);
        expect(Math.abs(back - seconds * 1_000)).toBeLessThanOrEqual(3_600_000);
        if (zone === "UTC" || zone === "Asia/Kolkata") expect(back).toBe(seconds * 1_000);
      },
    ),
  );
});

it("says what the platform says, near changes of the clocks as well", () => {
  const zones = [
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Monrovia",
    "Europe/Berlin",
    "Pacific/Apia",
  ];
  const formats = new Map(
    zones.map((timeZone) => [
      timeZone,
      new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" }),
    ]),
  );
  // Monrovia was 44 minutes and 30 seconds behind, Apia left a day out.
  const changes = [
    Date.UTC(1972, 0, 7, 0, 44, 30),
    Date.UTC(2011, 11, 30, 10),
    Date.UTC(2026, 2, 29, 1),
    Date.UTC(2026, 2, 8, 7),
    Date.UTC(2026, 3, 4, 15),
  ];
  const instants = fc.oneof(
    fc.integer({ min: -2_000_000_000, max: 200_000_000_000 }).map((seconds) => seconds * 1_000 + 999),
    fc
      .tuple(fc.constantFrom(...changes), fc.integer({ min: -1_000, max: 1_000 }))
      .map(([change, seconds]) => {
        return change + seconds * 1_000;
      }),
  );
  fc.assert(
    fc.property(instants, fc.constantFrom(...zones), (at, zone) => {
      expect(wallClock(at, zone)).toBe(formats.get(zone)?.format(at));
    }),
    { numRuns: 2_000 },
  );
  expect(() => wallClock(Number.NaN, "UTC")).toThrow(RangeError);
  expect(() => wallClock(0, "Mars/Base")).toThrow(RangeError);
});
