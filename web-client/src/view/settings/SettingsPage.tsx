/** Settings: pages on the left, one of them on the right; on a phone one after the other. */
import { createEffect, For, Match, on, Show, Switch } from 'solid-js';
import { t, type Key } from '../../words';
import { isOurs } from '../keys';
import { dialog, openDialog } from '../layers';
import Overlays from '../Overlays';
import { Icon, type IconName } from '../parts/Icon';
import { follow, go, goBack, isPhone, paths, route, type SettingsPage as Tab } from '../route';
import { Appearance } from './Appearance';
import { Keyboard } from './Keyboard';
import { Profile } from './Profile';
import { Sessions } from './Sessions';
import '../../style/settings.css';
import '../../style/shell.css';

const tabs: readonly { readonly tab: Exclude<Tab, 'menu'>; readonly icon: IconName; readonly label: Key & `settings.${string}` }[] = [
  { tab: 'profile', icon: 'user', label: 'settings.profile' },
  { tab: 'appearance', icon: 'palette', label: 'settings.appearance' },
  { tab: 'keyboard', icon: 'keyboard', label: 'settings.keyboard' },
  { tab: 'sessions', icon: 'desktop', label: 'settings.sessions' },
];

export default function SettingsPage() {
  let main!: HTMLElement;
  const tab = (): Tab => {
    const now = route();
    const chosen = now.page === 'settings' ? now.tab : 'menu';
    return chosen === 'menu' && !isPhone() ? 'profile' : chosen;
  };
  createEffect(
    on(tab, (now) => {
      const shown = tabs.find((one) => one.tab === now);
      document.title = `${shown ? t(shown.label) : t('settings.title')} · ${t('app.name')}`;
      queueMicrotask(() => main.querySelector<HTMLElement>('h1')?.focus());
    }),
  );
  const toChat = (): void => go(paths.home);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && isOurs(event) && !dialog() && !event.defaultPrevented) toChat();
  };

  return (
    <div class="set" data-page={tab()} onKeyDown={onKeyDown}>
      <div class="set-side" role={isPhone() && tab() === 'menu' ? 'main' : undefined}>
        <div class="brand">
          <button type="button" class="ib" aria-label={t('settings.backToChat')} onClick={toChat}>
            <Icon name="back" />
          </button>
          <Show when={isPhone()} fallback={<b>{t('settings.title')}</b>}>
            <h1>{t('settings.title')}</h1>
          </Show>
        </div>
        <nav aria-label={t('settings.title')}>
          <ul>
            <For each={tabs}>
              {(one) => (
                <li>
                  <a href={paths.settings(one.tab)} aria-current={tab() === one.tab ? 'page' : undefined} onClick={follow}>
                    <Icon name={one.icon} />
                    {t(one.label)}
                  </a>
                </li>
              )}
            </For>
            <li>
              <a href={paths.home} role="button" onClick={(event) => (event.preventDefault(), openDialog({ kind: 'sign-out' }))}>
                <Icon name="out" />
                {t('settings.signOut')}
              </a>
            </li>
          </ul>
        </nav>
      </div>
      <div class="set-page">
        <header class="bar">
          <button type="button" class="ib back" aria-label={t('settings.back')} onClick={() => goBack(paths.settings())}>
            <Icon name="back" />
          </button>
          <b class="grow">{t('settings.title')}</b>
        </header>
        <main class="body" ref={main}>
          <Switch>
            <Match when={tab() === 'profile'}>
              <Profile />
            </Match>
            <Match when={tab() === 'appearance'}>
              <Appearance />
            </Match>
            <Match when={tab() === 'keyboard'}>
              <Keyboard />
            </Match>
            <Match when={tab() === 'sessions'}>
              <Sessions />
            </Match>
          </Switch>
        </main>
      </div>
      <Overlays />
    </div>
  );
}
