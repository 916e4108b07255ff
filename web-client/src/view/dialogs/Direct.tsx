/** Finding a person to write to. */
import { createMemo, createSignal } from 'solid-js';
import type { User } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { failureWords } from '../failure';
import { closeDialog, toast } from '../layers';
import { Dialog } from '../parts/Dialog';
import { Pick } from '../parts/Pick';
import { go, paths } from '../route';
import { PersonLine } from './PersonLine';
import { createSearch } from './search';

export default function Direct() {
  const chat = useChat();
  const [query, setQuery] = createSignal('');
  const search = createSearch(query);
  const take = async (user: User): Promise<void> => {
    const outcome = await chat.createDirect(user.id);
    if (!outcome.ok) return toast(failureWords(outcome.failure));
    closeDialog();
    go(paths.room(outcome.value.id));
  };
  const choices = createMemo(() =>
    search.people().map((user) => ({ key: user.id, content: <PersonLine user={user} />, take: () => void take(user) })),
  );
  const empty = (): string => {
    const failure = search.failure();
    if (failure) return failure.reason === 'unreachable' ? t('people.offline') : failureWords(failure);
    if (query().trim() === '') return t('people.start');
    return search.searching() ? t('people.searching') : t('people.nothing', { query: query().trim() });
  };
  return (
    <Dialog title={t('people.title')} tall>
      <Pick
        label={t('people.find')}
        query={query()}
        onQuery={setQuery}
        choices={choices()}
        listLabel={t('people.results')}
        empty={empty()}
      />
    </Dialog>
  );
}
