#include "daemon/supervisor/inherited_fds.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>

#include "daemon/supervisor/environment.h"

namespace pqd {
namespace {

constexpr int kFirstFd = 3;
// Far above what a service manager keeps: a wrong number is no reason to touch a million descriptors.
constexpr int64_t kFdsMax = 1 << 20;
constexpr std::string_view kSessionPrefix = "session-";
// As a .socket unit calls its socket when it does not say otherwise, and as this page's unit would.
constexpr std::array<std::string_view, 2> kUnitNames{"pqd.socket", "pqd.sock"};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> names;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(':', at), text.size());
    names.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

struct PartName {
  uint64_t session = 0;
  SessionPart part = SessionPart::kSocket;
};

std::optional<PartName> parse(const std::string& name) {
  if (!name.starts_with(kSessionPrefix)) return std::nullopt;
  const char* const begin = name.data() + kSessionPrefix.size();
  PartName parsed;
  const auto [end, error] = std::from_chars(begin, name.data() + name.size(), parsed.session);
  if (error != std::errc{} || parsed.session == 0) return std::nullopt;
  for (size_t part = 0; part < kSessionPartCount; ++part) {
    parsed.part = static_cast<SessionPart>(part);
    // As it would be written: no other spelling of a name is one.
    if (name == part_name(parsed.session, parsed.part)) return parsed;
  }
  return std::nullopt;
}

bool whole(const SessionParts& parts) {
  return std::ranges::all_of(parts, [](const UniqueFd& fd) { return static_cast<bool>(fd); });
}

}  // namespace

std::vector<NamedFd> take_listen_fds() {
  const auto pid = number_in_environment("LISTEN_PID");
  const int64_t count = number_in_environment("LISTEN_FDS").value_or(0);
  const char* named = std::getenv("LISTEN_FDNAMES");
  const auto names = split(named == nullptr ? "" : named);
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  if (!pid || *pid != ::getpid() || count <= 0 || count > kFdsMax) return {};
  std::vector<NamedFd> all;
  for (int i = 0; i < static_cast<int>(count); ++i) {
    const int fd = kFirstFd + i;
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) continue;  // is not open
    const auto index = static_cast<size_t>(i);
    all.push_back({names.size() == static_cast<size_t>(count) ? names[index] : "", UniqueFd(fd)});
  }
  return all;
}

InheritedFds sort_inherited(std::vector<NamedFd> all) {
  InheritedFds sorted;
  std::set<uint64_t> spoiled;  // have a part twice: which of them is the right one nobody knows
  for (NamedFd& one : all) {
    const bool kept = one.name == kListenerName;
    const auto part = parse(one.name);
    UniqueFd* place = nullptr;
    if (kept || std::ranges::find(kUnitNames, one.name) != kUnitNames.end()) place = &sorted.listener;
    if (part) place = &sorted.sessions[part->session][static_cast<size_t>(part->part)];
    if (place == nullptr || *place) {
      if (part) spoiled.insert(part->session);
      sorted.strays.push_back(std::move(one.name));
      continue;
    }
    *place = std::move(one.fd);
    if (!part) sorted.listener_is_kept = kept;
  }
  for (auto at = sorted.sessions.begin(); at != sorted.sessions.end();) {
    if (whole(at->second) && !spoiled.contains(at->first)) {
      ++at;
      continue;
    }
    for (size_t part = 0; part < kSessionPartCount; ++part)
      sorted.strays.push_back(part_name(at->first, static_cast<SessionPart>(part)));
    at = sorted.sessions.erase(at);
  }
  return sorted;
}

}  // namespace pqd
