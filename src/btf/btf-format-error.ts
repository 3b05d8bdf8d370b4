/** The bytes are not the BTF they should be. The message starts with the file's name. */
export class BtfFormatError extends Error {
  override readonly name = "BtfFormatError";

  constructor(
    readonly fileName: string,
    reason: string,
  ) {
    super(`${fileName}: ${reason}`);
  }
}
