// RocksDB's logs as files, record by record: where one is damaged, RocksDB itself says that there is damage
// and no more. The format is RocksDB's (its wiki, "Write Ahead Log File Format"): blocks of 32 KiB; a record
// is CRC-32C (masked) of type and bytes, length, type, bytes; none crosses a block. Private to daemon/store.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pqd {

struct LogFile {
  std::string path;
  bool last = false;  // the one that was written to last
};

// In the order in which they were written.
std::vector<LogFile> log_files(const std::string& database);
// The same format; in no order.
std::vector<std::string> manifests(const std::string& database);

struct LogDamage {
  uint64_t at = 0;                 // where the first record stands that is not whole
  bool whole_ones_follow = false;  // so it is not the end that a crash leaves
};
struct LogLook {
  bool readable = false;
  bool damaged = false;
  LogDamage damage;
};
LogLook look_at_log(const std::string& path);

// Every record that is whole, in the order of the file, beyond damage, too. Returns the number of places
// where something is not.
uint64_t for_each_log_record(const std::string& path, const std::function<void(std::string_view)>& f);

// CRC-32C (Castagnoli, RFC 3720) of the bytes.
uint32_t crc32c(const unsigned char* bytes, size_t count);

}  // namespace pqd
