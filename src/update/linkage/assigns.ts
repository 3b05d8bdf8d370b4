/** True if the body of a function, as the top level of a source is read, gives a variable, a member or an element of it a value. */
export function assigns(body: string, name: string): boolean {
  const assignment = new RegExp(String.raw`(?:^|[^.>] )${name}(?: \[[^\]]*\]| \. \w+)* (?:[-+*/%&|^] |< < |> > )?= (?!=)`);
  if (!assignment.test(body)) return false;
  const statements = body.split(/[;{}]/).map((statement) => statement.trim());
  return statements.some((statement) => !statement.startsWith("static ") && assignment.test(statement));
}

/** True if it hands on the address of the variable, or of a part of it: whoever gets that may fill it. */
export function handsOn(body: string, name: string): boolean {
  return new RegExp(String.raw`(?:[(,=?:]|return|& &|\| \|) & ${name}\b`).test(body);
}
