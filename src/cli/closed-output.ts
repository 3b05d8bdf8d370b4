/**
 * Whoever reads the output may be gone before the end (`ksplice apply … | head -n 1`): what is under way is not given up for that, halfway and without a word.
 * Any other error of writing is thrown, as it would be without this.
 */
export function goOnWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}
