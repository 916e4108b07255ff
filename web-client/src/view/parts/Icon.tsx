/** The icons: one path each on a grid of 20, drawn with the colour of the text. */
import type { icons } from './icons';

const first = {
  alert: 'M3.2 10a6.8 6.8 0 1 0 13.6 0a6.8 6.8 0 1 0-13.6 0M10 6.6v4M10 13.3v.01',
  x: 'M5.5 5.5l9 9M14.5 5.5l-9 9',
  swap: 'M3.5 7.3h11.8M12.3 4.3l3 3-3 3M16.5 12.7H4.7M7.7 9.7l-3 3 3 3',
  eye: 'M2.8 10S5.5 5 10 5s7.2 5 7.2 5-2.7 5-7.2 5-7.2-5-7.2-5zM7.8 10a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0',
  eyeOff:
    'M2.8 10S5.5 5 10 5s7.2 5 7.2 5-2.7 5-7.2 5-7.2-5-7.2-5zM7.8 10a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0M3.6 3.2l12.8 13.6',
} as const;

export type IconName = keyof typeof first | keyof typeof icons;

const paths: Partial<Record<IconName, string>> = { ...first };

/** Takes in icons that came later. */
export function addIcons(more: Partial<Record<IconName, string>>): void {
  Object.assign(paths, more);
}

/** An icon. Decoration unless it has a `label`. */
export function Icon(props: { name: IconName; small?: boolean; label?: string; class?: string }) {
  return (
    <svg
      class={`i${props.small ? ' i-s' : ''}${props.class ? ` ${props.class}` : ''}`}
      viewBox="0 0 20 20"
      role={props.label ? 'img' : undefined}
      aria-label={props.label}
      aria-hidden={props.label ? undefined : 'true'}
    >
      <path d={paths[props.name]} stroke-width={props.name === 'more' ? 2.6 : undefined} />
    </svg>
  );
}

/** The mark of Hubbub. */
export function Mark() {
  return <img class="mark" src="/mark.svg" alt="" width="28" height="28" />;
}
