#include "daemon/supervisor/listener.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/supervisor/open_files.h"
#include "shm/seqpacket.h"

namespace pqd {
namespace {

constexpr int kBacklog = 512;
// A turn of the loop takes no more than these, so that those who are here already are heard too.
constexpr int kArrivalsPerTurn = 32;
constexpr int64_t kRestNs = 100'000'000;

std::expected<void, StartFailure> remove_stale(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return std::unexpected(path_failure("cannot look at", path, errno));
  }
  if (!S_ISSOCK(status.st_mode))
    return std::unexpected(StartFailure{
        kExitCannotCreate, path + " is in the way and is not a socket: move it, or name another path"});
  if (::unlink(path.c_str()) != 0) return std::unexpected(path_failure("cannot remove", path, errno));
  return {};
}

std::expected<UniqueFd, StartFailure> bind_socket(const std::string& path, mode_t mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return std::unexpected(StartFailure{
        kExitConfig, "the socket's path has " + std::to_string(path.size()) +
                         " bytes, the kernel allows 107: choose a shorter directory than " + path});
  if (auto removed = remove_stale(path); !removed) return std::unexpected(removed.error());
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return std::unexpected(path_failure("cannot make a socket for", path, errno));
  refuse_extras(socket.get());
  const mode_t mask = ::umask(~mode & 0777);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int number = errno;
  ::umask(mask);
  if (bound != 0) return std::unexpected(path_failure("cannot bind a socket at", path, number));
  if (::listen(socket.get(), kBacklog) != 0)
    return std::unexpected(path_failure("cannot listen at", path, errno));
  return socket;
}

int option(int socket, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

// Nothing, or what is wrong with it.
const char* objection_to(int socket, const std::string& path) {
  if (option(socket, SO_DOMAIN) != AF_UNIX || option(socket, SO_TYPE) != SOCK_SEQPACKET ||
      option(socket, SO_ACCEPTCONN) != 1)
    return "it is no listening SOCK_SEQPACKET socket";
  sockaddr_un address{};
  socklen_t length = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0 || path != address.sun_path)
    return "it listens at another path";
  struct stat status {};
  // Without its file nobody would find it.
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return "its file is gone";
  return nullptr;
}

}  // namespace

std::expected<std::unique_ptr<Listener>, StartFailure> Listener::open(EventLoop& loop,
                                                                      const std::string& path, mode_t mode,
                                                                      Arrival arrival) {
  auto socket = bind_socket(path, mode);
  if (!socket) return std::unexpected(socket.error());
  return std::unique_ptr<Listener>(new Listener(loop, path, std::move(*socket), std::move(arrival)));
}

std::expected<std::unique_ptr<Listener>, std::string> Listener::adopt(EventLoop& loop,
                                                                      const std::string& path,
                                                                      UniqueFd socket, Arrival arrival) {
  if (const char* wrong = objection_to(socket.get(), path)) return std::unexpected(wrong);
  refuse_extras(socket.get());
  if (::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) return std::unexpected(std::strerror(errno));
  return std::unique_ptr<Listener>(new Listener(loop, path, std::move(socket), std::move(arrival)));
}

Listener::Listener(EventLoop& loop, std::string path, UniqueFd socket, Arrival arrival)
    : loop_(loop), path_(std::move(path)), socket_(std::move(socket)), arrival_(std::move(arrival)) {
  listen();
}

Listener::~Listener() {
  loop_.unwatch(watch_);
  loop_.cancel_timer(rest_timer_);
  if (keep_file_) return;
  ::unlink(path_.c_str());
  // Nobody is closed unheard: with the listener, what they have sent would be closed too.
  ::shutdown(socket_.get(), SHUT_RDWR);
  while (accept_one()) {
  }
}

void Listener::listen() {
  watch_ = loop_.watch(socket_.get(), [this] { accept_some(); });
}

bool Listener::accept_one() {
  UniqueFd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return false;
  refuse_extras(socket.get());  // it may have come before the listener was ours
  arrival_(std::move(socket));
  return true;
}

void Listener::accept_some() {
  for (int i = 0; i < kArrivalsPerTurn; ++i) {
    if (accept_one()) {
      told_rest_ = false;
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (errno != EAGAIN) rest();
    return;
  }
}

// Out of descriptors or memory: the queue stays readable, so that looking again at once would spin.
void Listener::rest() {
  if (!std::exchange(told_rest_, true))
    spdlog::error("cannot accept clients ({}): trying again shortly; {} if this stays", std::strerror(errno),
                  kRaiseOpenFiles);
  loop_.unwatch(watch_);
  rest_timer_ = loop_.arm_timer(EventLoop::monotonic_ns() + kRestNs, [this] { listen(); });
}

}  // namespace pqd
