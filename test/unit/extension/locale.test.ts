import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { age, bytes, count, duration, metric, percent, useLanguage } from "../../../src/extension/text/locale.ts";

const NOW = Date.parse("2026-11-24T12:00:00.000Z");

describe("numbers and times in English", () => {
  it("are written as people read them", () => {
    expect(count(3_000_000)).toBe("3,000,000");
    expect(bytes(1_234_567)).toBe("1.23 MB");
    expect(percent(0.999)).toBe("99%");
    expect(metric(0.123456789)).toBe("0.123457");
  });

  it.each([
    [850, "850 ms"],
    [12_340, "12.3 sec"],
    [184_000, "3 min 4 sec"],
    [7_500_000, "2 hr 5 min"],
    [-5, "0 ms"],
  ])("%i ms last %s", (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });

  it.each([
    ["2026-11-24T11:59:30.000Z", "now"],
    ["2026-11-24T11:55:00.000Z", "5 min. ago"],
    ["2026-11-24T09:00:00.000Z", "3 hr. ago"],
    ["2026-11-23T11:00:00.000Z", "yesterday"],
    ["2026-11-24T12:30:00.000Z", "now"],
    ["nonsense", "nonsense"],
  ])("%s was %s", (iso, text) => {
    expect(age(iso, NOW)).toBe(text);
  });
});

describe("numbers and times in the language of the editor", () => {
  beforeEach(() => useLanguage("pt-br", undefined));
  afterEach(() => useLanguage("en", undefined));

  it("follow it", () => {
    expect(count(3_000_000)).toBe("3.000.000");
    expect(bytes(1_234_567)).toBe("1,23 MB");
    expect(age("2026-11-23T11:00:00.000Z", NOW)).toBe("ontem");
  });

  it("fall back to English for a language nobody knows", () => {
    useLanguage("not a language", undefined);
    expect(count(1000)).toBe("1,000");
  });
});
