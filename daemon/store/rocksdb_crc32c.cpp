// CRC-32C for RocksDB, by the CPU's instructions. Debian builds RocksDB for every amd64 there is, so that it
// counts by tables, and everything that goes into the log; perf found 15 % of the engine's time for durable
// submits there. RocksDB calls its own function through the dynamic linker, which
// finds this one first (System V ABI, "Shared Object Dependencies"), in every program and module that this
// object is linked into. ISA-L looks at start which instructions there are.
#include <isa-l/crc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace rocksdb::crc32c {

// As RocksDB declares it in util/crc32c.h: the checksum of what has checksum `before`, followed by `bytes`.
__attribute__((visibility("default"))) uint32_t Extend(uint32_t before, const char* data, size_t bytes);

uint32_t Extend(uint32_t before, const char* data, size_t bytes) {
  constexpr size_t kPieceMax = size_t{1} << 30;  // ISA-L counts in ints
  uint32_t sum = ~before;
  while (bytes > 0) {
    const size_t piece = std::min(bytes, kPieceMax);
    // It reads only.
    auto* from = reinterpret_cast<unsigned char*>(const_cast<char*>(data));
    sum = crc32_iscsi(from, static_cast<int>(piece), sum);
    data += piece;
    bytes -= piece;
  }
  return ~sum;
}

}  // namespace rocksdb::crc32c
