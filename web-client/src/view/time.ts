/** Times in words, in the chosen language and the time zone of this device. */
import { createSignal, onCleanup } from 'solid-js';
import { language, t } from '../words';

type Style = 'clock' | 'day' | 'dayYear' | 'weekday' | 'date' | 'dateYear' | 'full';
const styles: Record<Style, Intl.DateTimeFormatOptions> = {
  clock: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  day: { weekday: 'long', day: 'numeric', month: 'long' },
  dayYear: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  weekday: { weekday: 'short' },
  date: { day: 'numeric', month: 'short' },
  dateYear: { day: 'numeric', month: 'short', year: 'numeric' },
  full: { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
};
const formats = new Map<string, Intl.DateTimeFormat>();

function format(style: Style, at: number): string {
  const name = `${language()} ${style}`;
  let known = formats.get(name);
  if (!known) {
    // British English writes dates without commas and with the day first, as the rest of the world does.
    known = new Intl.DateTimeFormat(language() === 'zh' ? 'zh-CN' : 'en-GB', styles[style]);
    formats.set(name, known);
  }
  return known.format(at);
}

/** A clock that ticks each minute, so that "Today" becomes "Yesterday" without a reload. */
const [minute, setMinute] = createSignal(Date.now());
setInterval(() => setMinute(Date.now()), 60_000);

/** The local midnight that begins the day of `at`. */
export function dayOf(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

function daysAgo(at: number): number {
  return Math.round((dayOf(minute()) - dayOf(at)) / 86_400_000);
}

function thisYear(at: number): boolean {
  return new Date(at).getFullYear() === new Date(minute()).getFullYear();
}

/** "09:14" */
export const clock = (at: number): string => format('clock', at);
/** "20 November 2025 at 09:14" */
export const fullTime = (at: number): string => format('full', at);

/** "Today", "Yesterday", "Wednesday 19 November". */
export function dayTitle(at: number): string {
  const ago = daysAgo(at);
  if (ago === 0) return t('timeline.today');
  if (ago === 1) return t('timeline.yesterday');
  return format(thisYear(at) ? 'day' : 'dayYear', at);
}

/** For lists: "09:14" today, "Wed" this week, "2 Nov" this year. */
export function listTime(at: number): string {
  const ago = daysAgo(at);
  if (ago <= 0) return clock(at);
  if (ago < 7) return format('weekday', at);
  return format(thisYear(at) ? 'date' : 'dateYear', at);
}

/** "Today, 09:14" */
export function dayAndClock(at: number): string {
  const ago = daysAgo(at);
  const day = ago === 0 || ago === 1 ? dayTitle(at) : format(thisYear(at) ? 'date' : 'dateYear', at);
  return language() === 'zh' ? `${day} ${clock(at)}` : `${day}, ${clock(at)}`;
}

/** "today, 09:14", inside a sentence. */
export function sentenceTime(at: number): string {
  const words = dayAndClock(at);
  return daysAgo(at) === 0 || daysAgo(at) === 1 ? words.toLowerCase() : words;
}

/** "0:41" for a time to wait. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The time, each second while someone looks; for countdowns. */
export function createTicker(): () => number {
  const [now, setNow] = createSignal(Date.now());
  const timer = setInterval(() => setNow(Date.now()), 500);
  onCleanup(() => clearInterval(timer));
  return now;
}
