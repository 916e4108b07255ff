/** All shortcuts. */
import { For } from 'solid-js';
import { t } from '../../words';
import { commandKey } from '../keys';
import { Dialog } from '../parts/Dialog';

export default function Keys() {
  const rows = (): readonly (readonly [string, string])[] => [
    [t('keys.jump'), `${commandKey} K`],
    [t('keys.rooms'), 'Alt ↑ ↓'],
    [t('keys.unread'), 'Shift Alt ↑ ↓'],
    [t('keys.regions'), 'F6, Shift F6'],
    [t('keys.send'), 'Enter'],
    [t('keys.break'), 'Shift Enter'],
    [t('keys.editLast'), '↑'],
    [t('keys.escape'), 'Esc'],
    [t('keys.rows'), '↑ ↓'],
    [t('keys.ends'), 'Home, End'],
    [t('keys.inside'), 'Enter, Esc'],
    [t('keys.reply'), 'R'],
    [t('keys.edit'), 'E'],
    [t('keys.recall'), '⌫'],
    [t('keys.menu'), 'Shift F10'],
    [t('keys.settings'), `${commandKey} ,`],
    [t('keys.all'), `?, ${commandKey} /`],
  ];
  return (
    <Dialog title={t('keys.title')}>
      <dl class="keys">
        <For each={rows()}>
          {([what, key]) => (
            <>
              <dt>{what}</dt>
              <dd>
                <kbd>{key}</kbd>
              </dd>
            </>
          )}
        </For>
      </dl>
    </Dialog>
  );
}
