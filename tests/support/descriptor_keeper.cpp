#include "tests/support/descriptor_keeper.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <latch>
#include <mutex>
#include <sstream>

#include "shm/seqpacket.h"

namespace pqd::test {
namespace {

constexpr size_t kFdsAMessage = 8;

// Held by whichever thread is at work in a keeper, and over every fork of the process: AddressSanitizer's
// allocator has locks that a fork copies as they are, and a child whose parent's listener held one would wait
// for it for ever, as late as when it wants memory of that size for the first time.
std::mutex at_work;

void keep_out_of_forks() {
  static const int error =
      ::pthread_atfork([] { at_work.lock(); }, [] { at_work.unlock(); }, [] { at_work.unlock(); });
  EXPECT_EQ(error, 0);
}

}  // namespace

DescriptorKeeper::DescriptorKeeper(size_t room)
    : room_(room), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)), end_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = directory_.path("notify");
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  keep_out_of_forks();
  std::latch listening(1);
  thread_ = std::thread([&] {
    listening.count_down();
    listen();
  });
  listening.wait();  // a thread's beginning takes memory, too
}

DescriptorKeeper::~DescriptorKeeper() {
  const uint64_t one = 1;
  EXPECT_EQ(::write(end_.get(), &one, sizeof one), 8);
  thread_.join();
  drop_all();
}

void DescriptorKeeper::listen() {
  for (;;) {
    std::array<pollfd, 2> wanted{pollfd{socket_.get(), POLLIN, 0}, pollfd{end_.get(), POLLIN, 0}};
    ::poll(wanted.data(), wanted.size(), -1);
    if (wanted[1].revents != 0) return;
    const std::lock_guard lock(at_work);
    take_in();
  }
}

void DescriptorKeeper::take_in() {
  for (;;) {
    std::array<std::byte, 4096> buffer;
    auto received = receive_message(socket_.get(), buffer, kFdsAMessage, WireTimeout::zero());
    if (!received) return;
    take({reinterpret_cast<const char*>(buffer.data()), received->bytes}, std::move(received->fds));
  }
}

void DescriptorKeeper::take(const std::string& message, std::vector<UniqueFd> fds) {
  heard_ += message + "\n";
  bool store = false, remove = false;
  std::string name = "stored";
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    if (line == "FDSTORE=1") store = true;
    if (line == "FDSTOREREMOVE=1") remove = true;
    if (line.starts_with("FDNAME=")) name = line.substr(7);
  }
  if (remove) let_go([&](const Kept& kept) { return kept.name == name; });
  if (!store) return;
  for (UniqueFd& fd : fds)
    if (kept_.size() < room_) kept_.push_back({name, std::move(fd)});
}

// Children that the test forked meanwhile have copies; PID 1 would have the only one.
template <class Wanted>
void DescriptorKeeper::let_go(Wanted wanted) {
  for (const Kept& kept : kept_)
    if (wanted(kept)) ::shutdown(kept.fd.get(), SHUT_RDWR);
  std::erase_if(kept_, wanted);
}

std::vector<std::string> DescriptorKeeper::environment() {
  const std::lock_guard lock(at_work);
  take_in();
  std::string all;
  for (const Kept& kept : kept_) all += (all.empty() ? "" : ":") + kept.name;
  std::vector<std::string> variables{"NOTIFY_SOCKET=" + directory_.path("notify"),
                                     "FDSTORE=" + std::to_string(room_)};
  if (kept_.empty()) return variables;
  variables.push_back("LISTEN_FDS=" + std::to_string(kept_.size()));
  variables.push_back("LISTEN_FDNAMES=" + all);
  return variables;
}

std::vector<int> DescriptorKeeper::descriptors() {
  const std::lock_guard lock(at_work);
  std::vector<int> numbers;
  for (const Kept& kept : kept_) numbers.push_back(kept.fd.get());
  return numbers;
}

std::vector<std::string> DescriptorKeeper::names() {
  const std::lock_guard lock(at_work);
  take_in();
  std::vector<std::string> all;
  for (const Kept& kept : kept_) all.push_back(kept.name);
  return all;
}

std::string DescriptorKeeper::heard() {
  const std::lock_guard lock(at_work);
  take_in();
  return heard_;
}

void DescriptorKeeper::keep(const std::string& name, UniqueFd fd) {
  const std::lock_guard lock(at_work);
  kept_.push_back({name, std::move(fd)});
}

void DescriptorKeeper::drop(const std::string& name) {
  const std::lock_guard lock(at_work);
  let_go([&](const Kept& kept) { return kept.name == name; });
}

void DescriptorKeeper::drop_all() {
  const std::lock_guard lock(at_work);
  take_in();
  let_go([](const Kept&) { return true; });
}

}  // namespace pqd::test
