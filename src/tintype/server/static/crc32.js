// The checksum of PNG and of zip archives. Source: PNG (W3C, third edition), annex D.

const TABLE = Int32Array.from({ length: 256 }, (_, sum) => {
  for (let k = 0; k < 8; k++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  return sum;
});

/**
 * CRC-32 of bytes. @param {Uint8Array} bytes @param {number} [before] that of the bytes before them
 */
export function crc32(bytes, before = 0) {
  let sum = ~before;
  for (const byte of bytes) sum = (sum >>> 8) ^ TABLE[(sum ^ byte) & 255];
  return ~sum >>> 0;
}
