/** How Enter, single keys and reading aloud behave on this device. */
import { For } from 'solid-js';
import { t } from '../../words';
import { openDialog } from '../layers';
import { announce, ctrlEnter, setAnnounce, setCtrlEnter, setSingleKeys, singleKeys } from '../preferences';

export function Keyboard() {
  const switches = [
    { on: ctrlEnter, set: setCtrlEnter, label: () => t('settings.ctrlEnter'), lead: () => t('settings.ctrlEnterLead') },
    { on: singleKeys, set: setSingleKeys, label: () => t('keys.single'), lead: () => t('keys.singleLead') },
    { on: announce, set: setAnnounce, label: () => t('settings.announce'), lead: () => t('settings.announceLead') },
  ];
  return (
    <>
      <h1 tabindex="-1">{t('settings.keyboard')}</h1>
      <div class="rows first">
        <For each={switches}>
          {(one) => (
            <label class="tick">
              <input type="checkbox" checked={one.on()} onChange={(event) => one.set(event.currentTarget.checked)} />
              <span>
                <b>{one.label()}</b>
                <small>{one.lead()}</small>
              </span>
            </label>
          )}
        </For>
      </div>
      <div class="right">
        <button type="button" class="btn sm" onClick={() => openDialog({ kind: 'keys' })}>
          {t('keys.title')}
        </button>
      </div>
    </>
  );
}
