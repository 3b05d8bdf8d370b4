/** Ends a module that has a signature (include/linux/module_signature.h, Linux 6.1 and 6.12). */
const MARKER = new TextEncoder().encode("~Module signature appended~\n");

/** `struct module_signature`: of its fields only the kind of the signature and its length are set. Bytes. */
const TRAILER = { size: 12, kindAt: 2, lengthAt: 8, pkcs7: 2 } as const;

/** A module with a signature of its bytes behind it, as the kernel takes it: a detached PKCS#7 message in DER, what it is, and the marker. */
export function appendSignature(module: Uint8Array, pkcs7: Uint8Array): Uint8Array {
  const trailer = new DataView(new ArrayBuffer(TRAILER.size));
  trailer.setUint8(TRAILER.kindAt, TRAILER.pkcs7);
  trailer.setUint32(TRAILER.lengthAt, pkcs7.length, false);
  return Buffer.concat([module, pkcs7, new Uint8Array(trailer.buffer), MARKER]);
}

/** Whether a module has a signature behind it, good or not. */
export function hasSignature(module: Uint8Array): boolean {
  return module.length > MARKER.length && MARKER.every((byte, index) => module[module.length - MARKER.length + index] === byte);
}

/** A module's bytes without the signature behind it; all of them where there is none. */
export function withoutSignature(module: Uint8Array): Uint8Array {
  const trailerAt = module.length - MARKER.length - TRAILER.size;
  if (!hasSignature(module) || trailerAt < 0) return module;
  const trailer = new DataView(module.buffer, module.byteOffset + trailerAt, TRAILER.size);
  return module.subarray(0, Math.max(0, trailerAt - trailer.getUint32(TRAILER.lengthAt, false)));
}

/** OBJECT IDENTIFIER 1.2.840.113549.1.7.2, signed data (RFC 5652, 5.1). */
const SIGNED_DATA = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const SEQUENCE = 0x30;
/** A signature with several certificates has some thousands. Bytes. */
const MOST_BYTES = 0x10000;

/** Why bytes are no detached PKCS#7 signature in DER; undefined where they look like one. That it is good is for the kernel to say. */
export function findFault(pkcs7: Uint8Array): string | undefined {
  if (pkcs7.length === 0) return "it gave nothing";
  if (pkcs7.length > MOST_BYTES) return `it gave ${pkcs7.length} bytes, too many for a signature that does not hold what is signed`;
  const outer = readHeader(pkcs7);
  if (outer === undefined) return "what it gave is no PKCS#7 message in DER (PEM, or words?)";
  if (outer.end !== pkcs7.length) return `what it gave has ${pkcs7.length} bytes, and the message in it says ${outer.end}`;
  if (!SIGNED_DATA.every((byte, index) => pkcs7[outer.start + index] === byte)) return "what it gave is no PKCS#7 message with a signature";
  return undefined;
}

/** Where the contents of a sequence start and end (X.690, 8.1.3). */
function readHeader(der: Uint8Array): { readonly start: number; readonly end: number } | undefined {
  const first = der[1] ?? 0;
  if (der[0] !== SEQUENCE) return undefined;
  if (first < 0x80) return { start: 2, end: 2 + first };
  const count = first & 0x7f;
  if (count === 0 || count > 4) return undefined;
  const length = der.subarray(2, 2 + count).reduce((value, byte) => value * 256 + byte, 0);
  return { start: 2 + count, end: 2 + count + length };
}
