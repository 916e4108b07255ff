/** Looking for people while somebody types: after a pause, the newest answer wins. */
import { createEffect, createSignal, on, onCleanup, type Accessor } from 'solid-js';
import type { Failure, User } from '../../model';
import { useChat } from '../chat';

const pauseMs = 200;

export interface Search {
  readonly people: Accessor<readonly User[]>;
  readonly searching: Accessor<boolean>;
  readonly failure: Accessor<Failure | undefined>;
}

export function createSearch(query: Accessor<string>): Search {
  const chat = useChat();
  const [people, setPeople] = createSignal<readonly User[]>([]);
  const [searching, setSearching] = createSignal(false);
  const [failure, setFailure] = createSignal<Failure>();
  const me = chat.state.session.phase === 'in' ? chat.state.session.user.id : undefined;

  createEffect(
    on(query, (typed) => {
      const words = typed.trim();
      setFailure(undefined);
      setSearching(words !== '');
      if (words === '') return void setPeople([]);
      let over = false;
      const timer = setTimeout(async () => {
        const outcome = await chat.findPeople(words);
        if (over) return;
        setSearching(false);
        if (outcome.ok) setPeople(outcome.value.filter(({ id }) => id !== me));
        else setFailure(outcome.failure);
      }, pauseMs);
      onCleanup(() => {
        over = true;
        clearTimeout(timer);
      });
    }),
  );
  return { people, searching, failure };
}
