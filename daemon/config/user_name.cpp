// Users and groups as the configuration names them.
#include <grp.h>
#include <pwd.h>

#include <charconv>
#include <vector>

#include "daemon/config/config.h"

namespace pqd {
namespace {

constexpr size_t kRecordBytes = 64 << 10;  // of a group with many members; more has not been seen

std::optional<uint32_t> number_of(const std::string& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<uint32_t> uid_of_user(const std::string& text) {
  if (const auto uid = number_of(text)) return uid;
  std::vector<char> buffer(kRecordBytes);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(text.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return found->pw_uid;
}

std::optional<uint32_t> gid_of_group(const std::string& text) {
  if (const auto gid = number_of(text)) return gid;
  std::vector<char> buffer(kRecordBytes);
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(text.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return found->gr_gid;
}

}  // namespace pqd
