/** The bytes are not the ELF file they should be. The message starts with the file's name. */
export class ElfFormatError extends Error {
  override readonly name = "ElfFormatError";

  constructor(
    readonly fileName: string,
    reason: string,
  ) {
    super(`${fileName}: ${reason}`);
  }
}
