// A service manager that is slow misses nothing, and holds nobody up.
#include "daemon/supervisor/notify_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>

#include "tests/daemon/supervisor/fixtures.h"

namespace pqd::supervisor_test {
namespace {

constexpr int kLetters = 2'000;  // more than any queue of a socket takes

class NotifySocketTest : public testing::Test {
 protected:
  NotifySocketTest() : manager_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const std::string path = directory_.path("notify");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(::bind(manager_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    loop_ = EventLoop::create(BackendChoice::kEpoll).value();
    socket_.emplace(*loop_);
    ::unsetenv("NOTIFY_SOCKET");
  }

  // The next letter, and whether a descriptor came with it; "" = none is there.
  std::pair<std::string, bool> next() {
    std::array<std::byte, 256> buffer;
    const auto received = receive_message(manager_.get(), buffer, 1, WireTimeout::zero());
    if (!received) return {};
    return {std::string(reinterpret_cast<const char*>(buffer.data()), received->bytes),
            !received->fds.empty()};
  }

  TempDir directory_;
  UniqueFd manager_;
  std::unique_ptr<EventLoop> loop_;
  std::optional<NotifySocket> socket_;
};

TEST_F(NotifySocketTest, KeepsTheOrderOfWhatHadToWait) {
  for (int i = 0; i < kLetters; ++i) socket_->send("letter " + std::to_string(i), i % 2 == 0 ? 0 : -1);
  EXPECT_FALSE(socket_->idle()) << "the test proves nothing: all had room";
  int heard = 0;
  ASSERT_TRUE(eventually([&] {
    for (auto letter = next(); !letter.first.empty(); letter = next()) {
      EXPECT_EQ(letter.first, "letter " + std::to_string(heard));
      EXPECT_EQ(letter.second, heard % 2 == 0);
      ++heard;
    }
    loop_->run(1'000'000);
    return heard == kLetters;
  }));
  EXPECT_TRUE(socket_->idle());
}

TEST_F(NotifySocketTest, FlushSaysWhetherAllWasTaken) {
  socket_->send("a");
  EXPECT_TRUE(socket_->flush(WireTimeout::zero()));
  for (int i = 0; i < kLetters; ++i) socket_->send("b");
  EXPECT_FALSE(socket_->flush(WireTimeout(1)));
  manager_.reset();
  EXPECT_FALSE(socket_->flush(kPatience)) << "what could not be sent was not taken";
}

}  // namespace
}  // namespace pqd::supervisor_test
