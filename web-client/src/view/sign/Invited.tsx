/** Who invites to what, on the way in through an invitation's link. */
import { createResource, Show } from 'solid-js';
import { t } from '../../words';
import { useArriving } from '../chat';
import { Avatar, cleanName, nameOf } from '../parts/Person';
import { invitation } from '../route';

export default function Invited() {
  const chat = useArriving();
  const [preview] = createResource(invitation, async (code) => {
    const outcome = await (await chat.ready).previewInvite(code);
    return outcome.ok ? outcome.value : undefined;
  });
  return (
    <Show when={preview()}>
      {(info) => (
        <div class="invited">
          <Avatar user={info().invited_by} />
          <span class="grow">{t('signin.invited', { name: nameOf(info().invited_by), room: cleanName(info().room_name) })}</span>
        </div>
      )}
    </Show>
  );
}
