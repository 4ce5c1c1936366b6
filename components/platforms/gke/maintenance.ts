// Maintenance windows as Google takes them: one occurrence, in UTC with a Z, and how it recurs.

import { readWindow } from "./problems";

const DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
/** A Monday that is past: Google counts the weeks from the first occurrence. */
const A_MONDAY = Date.UTC(2026, 0, 5);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** `SA,SU 01:00-07:00` as a recurring window. */
export function firstWindow(window: string) {
    const { days, from, hours } = readWindow(window);
    const first = DAYS.find((day) => days.includes(day))!;
    const [hour, minute] = from.split(":").map(Number);
    const start = A_MONDAY + DAYS.indexOf(first) * DAY + (hour! * 60 + minute!) * MINUTE;
    const written = (time: number) => new Date(time).toISOString().replace(".000Z", "Z");
    return {
        startTime: written(start),
        endTime: written(start + hours * 60 * MINUTE),
        recurrence: `FREQ=WEEKLY;BYDAY=${days.join(",")}`,
    };
}
