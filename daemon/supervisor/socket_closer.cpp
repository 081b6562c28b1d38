#include "daemon/supervisor/socket_closer.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "daemon/supervisor/open_files.h"

namespace pqd {
namespace {

// One does, unless its end waits for something after all.
constexpr size_t kChildrenMax = 8;

// Takes back what the client sent, up to the first message with descriptors; true when there is none.
// REQUIRES: nothing can be sent any more.
bool empty_out(int socket) {
  // So that a message of no bytes can be told from the end: each comes with its sender's name from now on.
  // There is room for nothing else, and the kernel says so when there was more.
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
  for (;;) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
    msghdr header{};
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    if (::recvmsg(socket, &header, MSG_PEEK | MSG_DONTWAIT) < 0) return true;
    if ((header.msg_flags & MSG_CTRUNC) != 0) return false;
    if (CMSG_FIRSTHDR(&header) == nullptr) return true;
    char byte = 0;
    if (::recv(socket, &byte, sizeof byte, MSG_DONTWAIT) < 0) return true;
  }
}

// Holds the files until its parent has closed them, so that it does so last.
[[noreturn]] void close_by_ending(const std::vector<UniqueFd>& sockets, int parent_is_done) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<int> keep{parent_is_done};
  for (const UniqueFd& socket : sockets) keep.push_back(socket.get());
  close_all_but(std::move(keep));
  char byte = 0;
  [[maybe_unused]] const ssize_t end = ::read(parent_is_done, &byte, sizeof byte);
  ::_exit(0);
}

}  // namespace

SocketCloser::~SocketCloser() {
  for (const auto& [pid, watch] : children_) loop_.unwatch(watch);
  for (UniqueFd& socket : loaded_) [[maybe_unused]] const int left = socket.release();
}

void SocketCloser::close(UniqueFd socket) {
  ::shutdown(socket.get(), SHUT_RDWR);
  if (empty_out(socket.get())) return;
  loaded_.push_back(std::move(socket));
  send_off();
}

void SocketCloser::send_off() {
  std::array<int, 2> ends{};
  if (loaded_.empty() || children_.size() >= kChildrenMax || ::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  const UniqueFd parent_is_done(ends[0]);
  const UniqueFd says_so(ends[1]);
  const pid_t pid = ::fork();
  if (pid == 0) close_by_ending(loaded_, parent_is_done.get());
  if (pid < 0) return;  // with the next one again
  loaded_.clear();
  const auto watch = loop_.watch_child(pid, [this, pid](int, int) {
    children_.erase(pid);
    send_off();
  });
  if (watch) children_.emplace(pid, *watch);
}

}  // namespace pqd
