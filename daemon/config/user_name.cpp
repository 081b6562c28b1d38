// Users and groups as the configuration names them.
#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "daemon/config/config.h"

namespace pqd {
namespace {

// A group's record grows with its members. The first try is too small for most, so that every look shows that
// the next one is made.
constexpr size_t kRecordBytesFirst = 32;
constexpr size_t kRecordBytesMax = 64 << 20;

std::optional<uint32_t> number_of(const std::string& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

template <class Entry>
using Ask = int(const char* name, Entry* entry, char* buffer, size_t bytes, Entry** found);

template <class Entry>
std::optional<uint32_t> looked_up(const std::string& name, Ask<Entry>* ask, uint32_t Entry::*number) {
  std::vector<char> buffer(kRecordBytesFirst);
  for (;;) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = ask(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error == 0 && found != nullptr) return entry.*number;
    if (error != ERANGE || buffer.size() >= kRecordBytesMax) return std::nullopt;
    buffer.resize(buffer.size() * 4);
  }
}

}  // namespace

std::optional<uint32_t> uid_of_user(const std::string& text) {
  const auto uid = number_of(text);
  return uid ? uid : looked_up<passwd>(text, ::getpwnam_r, &passwd::pw_uid);
}

std::optional<uint32_t> gid_of_group(const std::string& text) {
  const auto gid = number_of(text);
  return gid ? gid : looked_up<group>(text, ::getgrnam_r, &group::gr_gid);
}

}  // namespace pqd
