#include "daemon/store/log_files.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace pqd {
namespace {

constexpr size_t kBlockBytes = 32 * 1024;
constexpr size_t kHeadBytes = 7;
constexpr uint32_t kMaskDelta = 0xa282ead8u;
// Then come the same of recycled files, which there are none of here.
enum RecordType : unsigned char { kWhole = 1, kFirst, kMiddle, kLast };

constexpr std::array<uint32_t, 256> kTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    table[i] = crc;
  }
  return table;
}();

uint32_t masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + kMaskDelta; }

// Bytes of the whole record at `at`, its head included; 0 = there is none.
size_t record_bytes(const unsigned char* block, size_t at, size_t end) {
  if (end - at < kHeadBytes) return 0;
  const unsigned char* head = block + at;
  const size_t length = head[4] | static_cast<size_t>(head[5]) << 8;
  const unsigned char type = head[6];
  if (type == 0 || type > kLast || length > end - at - kHeadBytes) return 0;
  uint32_t crc = 0;
  std::memcpy(&crc, head, sizeof crc);
  return crc == masked(crc32c(head + 6, length + 1)) ? kHeadBytes + length : 0;
}

// What lies between the records of a block and its end, or behind the last record of a file.
bool all_zero(const unsigned char* from, const unsigned char* to) {
  return std::all_of(from, to, [](unsigned char byte) { return byte == 0; });
}

}  // namespace

uint32_t crc32c(const unsigned char* bytes, size_t count) {
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < count; ++i) crc = kTable[(crc ^ bytes[i]) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::vector<LogFile> log_files(const std::string& database) {
  std::vector<LogFile> logs;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(database, error))
    if (entry.path().extension() == ".log") logs.push_back({entry.path().string()});
  // By number: RocksDB writes six digits at least.
  std::ranges::sort(logs, {}, [](const LogFile& log) { return std::pair(log.path.size(), log.path); });
  if (!logs.empty()) logs.back().last = true;
  return logs;
}

std::vector<std::string> manifests(const std::string& database) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(database, error))
    if (entry.path().filename().string().starts_with("MANIFEST-")) paths.push_back(entry.path().string());
  return paths;
}

namespace {

// Calls f(type, bytes, where) for each whole piece of a record, and bad(where) once for each run of blocks'
// ends that hold something else.
template <class Piece, class Bad>
bool for_each_piece(const std::string& path, Piece f, Bad bad) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  std::vector<char> buffer(kBlockBytes);
  for (uint64_t start = 0; file; start += kBlockBytes) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto count = static_cast<size_t>(file.gcount());
    const auto* block = reinterpret_cast<const unsigned char*>(buffer.data());
    size_t at = 0;
    while (const size_t bytes = record_bytes(block, at, count)) {
      f(static_cast<RecordType>(block[at + 6]),
        std::string_view(buffer.data() + at + kHeadBytes, bytes - kHeadBytes));
      at += bytes;
    }
    if (!all_zero(block + at, block + count)) bad(start + at);
  }
  return !file.bad();
}

}  // namespace

LogLook look_at_log(const std::string& path) {
  LogLook look;
  const auto piece = [&look](RecordType, std::string_view) {
    if (look.damaged) look.damage.whole_ones_follow = true;
  };
  look.readable = for_each_piece(path, piece, [&look](uint64_t at) {
    if (!look.damaged) look.damage.at = at;
    look.damaged = true;
  });
  return look;
}

uint64_t for_each_log_record(const std::string& path, const std::function<void(std::string_view)>& f) {
  uint64_t bad = 0;
  std::string record;
  bool begun = false;
  const auto piece = [&](RecordType type, std::string_view bytes) {
    const bool begins = type == kWhole || type == kFirst;
    if (begins == begun) ++bad;  // one that has no end, or no beginning
    if (begins) record.clear();
    begun = begins || begun;
    if (begun) record += bytes;
    if (begun && (type == kWhole || type == kLast)) f(record);
    if (type == kWhole || type == kLast) begun = false;
  };
  const bool read = for_each_piece(path, piece, [&](uint64_t) {
    ++bad;
    begun = false;
  });
  return bad + (read ? 0u : 1u);
}

}  // namespace pqd
