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
// Whole, first, middle, last; then the same of recycled files, which there are none of here.
constexpr unsigned char kTypeMax = 4;

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
  if (type == 0 || type > kTypeMax || length > end - at - kHeadBytes) return 0;
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
  std::ranges::sort(logs, {}, &LogFile::path);
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

LogLook look_at_log(const std::string& path) {
  LogLook look;
  std::ifstream file(path, std::ios::binary);
  look.readable = static_cast<bool>(file);
  std::vector<char> buffer(kBlockBytes);
  for (uint64_t start = 0; file; start += kBlockBytes) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto count = static_cast<size_t>(file.gcount());
    const auto* block = reinterpret_cast<const unsigned char*>(buffer.data());
    size_t at = 0;
    while (const size_t bytes = record_bytes(block, at, count)) at += bytes;
    if (look.damaged && at > 0) {
      look.damage.whole_ones_follow = true;
      break;
    }
    if (look.damaged || all_zero(block + at, block + count)) continue;
    look.damaged = true;
    look.damage.at = start + at;
  }
  look.readable = look.readable && !file.bad();
  return look;
}

}  // namespace pqd
