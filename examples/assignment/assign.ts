// Assigns a unit to a variant of a rollout, as promptgate does (gb2).

function fnv1a32(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

export function bucket(salt: string, unit: string): number {
  return fnv1a32(String(fnv1a32(salt + unit))) % 10_000;
}

type Entry = { salt: string; basis_points: number; control: string; treatment: string };

/** The version of a unit; entry is prompts[NAME] of releases.json. */
export function version(entry: Entry, unit: string): string {
  const treated = unit !== "" && bucket(entry.salt, unit) < entry.basis_points;
  return treated ? entry.treatment : entry.control;
}
