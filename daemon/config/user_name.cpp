// Users as the configuration names them.
#include <pwd.h>

#include <charconv>
#include <vector>

#include "daemon/config/config.h"

namespace pqd {

std::optional<uint32_t> uid_of_user(const std::string& text) {
  uint32_t uid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
  if (error == std::errc() && end == text.data() + text.size()) return uid;
  std::vector<char> buffer(64 << 10);  // of a record with many members; more has not been seen
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(text.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return found->pw_uid;
}

}  // namespace pqd
