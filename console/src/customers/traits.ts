import i18next from 'i18next';
import { listNames } from '../segments/query';

/** `firstName` and `first_name` are one name; a list's trait is the list's name; what no list knows is said as it stands. */
export function traitName(name: string): string {
  const list = listNames.get(name);
  if (list) return list;
  const words = name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();
  if (i18next.exists(`trait.${words}`)) return i18next.t(`trait.${words}`);
  const plain = words.replaceAll('_', ' ');
  return plain.charAt(0).toLocaleUpperCase() + plain.slice(1);
}
