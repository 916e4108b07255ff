/** A person in a list to choose from. */
import type { User } from '../../model';
import { Avatar, Name, nameOf } from '../parts/Person';

export function PersonLine(props: { user: User; tag?: string | undefined }) {
  return (
    <>
      <Avatar user={props.user} size={28} />
      <span class="cut grow">
        <Name name={nameOf(props.user)} /> <small>{props.user.username}</small>
      </span>
      {props.tag ? <span class="tag">{props.tag}</span> : null}
    </>
  );
}
