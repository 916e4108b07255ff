/** The frame of the pages before the chat: the promise on the left, a card on the right. */
import { For, type JSX } from 'solid-js';
import { language, t, type Language } from '../../words';
import { Mark } from '../parts/Icon';
import { chooseLanguage } from '../preferences';

const languages: readonly { readonly code: Language; readonly name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'zh', name: '中文' },
];

export function LanguageChoice() {
  return (
    <div class="seg" role="group" aria-label={t('app.language')}>
      <For each={languages}>
        {(one) => (
          <button type="button" lang={one.code} aria-pressed={language() === one.code} onClick={() => chooseLanguage(one.code)}>
            {one.name}
          </button>
        )}
      </For>
    </div>
  );
}

export function SignFrame(props: { children: JSX.Element }) {
  return (
    <div class="page">
      <aside class="art" aria-label={t('app.name')}>
        <img class="bg" src="/art.svg" alt="" loading="lazy" />
        <div class="logo">
          <Mark />
          <b>{t('app.name')}</b>
        </div>
        <div>
          <p class="slogan">{t('app.slogan')}</p>
          <p>{t('app.promise')}</p>
        </div>
      </aside>
      <main class="form">
        <div class="top">
          <div class="logo">
            <Mark />
            <b>{t('app.name')}</b>
          </div>
          <LanguageChoice />
        </div>
        {props.children}
      </main>
    </div>
  );
}
