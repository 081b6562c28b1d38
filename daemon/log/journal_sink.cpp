#include "daemon/log/journal_sink.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "shm/unique_fd.h"

namespace pqd {
namespace {

// A datagram has to fit the socket's buffer (208 KiB by default); nobody reads longer lines.
constexpr size_t kMessageBytesMax = 48u << 10;

// syslog's.
int priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
      return 2;
    case spdlog::level::err:
      return 3;
    case spdlog::level::warn:
      return 4;
    case spdlog::level::info:
      return 6;
    default:
      return 7;
  }
}

// The form with a length, which takes any bytes, line ends included.
void add_field(std::string& datagram, std::string_view name, std::string_view value) {
  uint64_t bytes = value.size();
  datagram += name;
  datagram += '\n';
  for (int i = 0; i < 8; ++i, bytes >>= 8) datagram += static_cast<char>(bytes & 0xff);
  datagram += value;
  datagram += '\n';
}

bool send_to(const std::string& path, const std::string& datagram) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return socket && ::sendto(socket.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                            reinterpret_cast<const sockaddr*>(&address), sizeof address) >= 0;
}

}  // namespace

void JournalSink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t text;
  formatter_->format(message, text);
  std::string_view line(text.data(), std::min(text.size(), kMessageBytesMax));
  while (line.ends_with('\n')) line.remove_suffix(1);
  std::string datagram =
      "SYSLOG_IDENTIFIER=pqd\nPRIORITY=" + std::to_string(priority_of(message.level)) + "\n";
  add_field(datagram, "PQD_PROCESS", {message.logger_name.data(), message.logger_name.size()});
  add_field(datagram, "MESSAGE", line);
  if (lost_ > 0) datagram += "PQD_LINES_LOST=" + std::to_string(lost_) + "\n";
  lost_ = send_to(socket_, datagram) ? 0 : lost_ + 1;
}

}  // namespace pqd
