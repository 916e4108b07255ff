/** How the page looks on this device. */
import { createUniqueId, For } from 'solid-js';
import { t } from '../../words';
import { setTheme, theme, type Theme } from '../preferences';
import { LanguageChoice } from '../sign/SignFrame';

const themes: Record<Theme, () => string> = {
  system: () => t('settings.themeSystem'),
  light: () => t('settings.themeLight'),
  dark: () => t('settings.themeDark'),
};

export function Appearance() {
  const id = createUniqueId();
  return (
    <>
      <h1 tabindex="-1">{t('settings.appearance')}</h1>
      <div class="rows first">
        <div class="pair">
          <span id={id}>{t('settings.theme')}</span>
          <div class="seg" role="group" aria-labelledby={id}>
            <For each={Object.keys(themes) as Theme[]}>
              {(one) => (
                <button type="button" aria-pressed={theme() === one} onClick={() => setTheme(one)}>
                  {themes[one]()}
                </button>
              )}
            </For>
          </div>
        </div>
        <div class="pair">
          <span>{t('app.language')}</span>
          <LanguageChoice />
        </div>
      </div>
    </>
  );
}
