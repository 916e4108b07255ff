/** Putting text on the clipboard, and saying so. */
import { t } from '../../words';
import { toast } from '../layers';

/** Copies, also on pages without a secure origin, where the clipboard's own interface is missing. */
export async function copyText(text: string, said = t('act.copied')): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
  toast(said);
}

function copyBySelection(text: string): void {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'sr';
  const holder = document.querySelector('dialog[open]') ?? document.body;
  const focused = document.activeElement;
  holder.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
}
