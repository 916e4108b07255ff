import { en } from './en';
export const zh: Record<keyof typeof en, string | { readonly one?: string; readonly other: string }> = en;
