/**
 * A part of a test that goes on from what the part before it left: of an update that was applied, undone, applied again. A failure says which part it was.
 */
export async function step(what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof Error) error.message = `${what}: ${error.message}`;
    throw error;
  }
}
