// Descriptors that clients send although nobody asked: who has to close the last one of a kind whose closing
// blocks would stand still.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#include "core/error.h"
#include "tests/daemon/supervisor/fixtures.h"

namespace pqd::supervisor_test {
namespace {

// Far beyond the watchdog.
constexpr int kLingerSeconds = 600;

// A TCP socket whose last close waits for a peer that does not read, until the object goes.
class SlowToClose {
 public:
  SlowToClose() : full_(tcp(0)), peer_(connected_to(full_.get())) {
    linger(full_.get(), kLingerSeconds);
    const std::vector<char> bytes(1 << 16);
    while (::send(full_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
  }
  ~SlowToClose() {
    // Resets the connection, wherever the other end is.
    linger(peer_.get(), 0);
    peer_.reset();
  }
  SlowToClose(const SlowToClose&) = delete;
  SlowToClose& operator=(const SlowToClose&) = delete;

  // Sends it along and leaves the last one to the receivers. Whether the kernel takes it is all the same.
  void send_with(std::span<const UniqueFd> sockets, std::span<const std::byte> message) {
    const std::array<int, 1> fds{full_.get()};
    bool sent = false;
    for (const UniqueFd& socket : sockets)
      if (send_message(socket.get(), message, fds, kPatience)) sent = true;
    if (sent) full_.reset();
  }
  void send_with(const UniqueFd& socket, std::span<const std::byte> message) {
    send_with(std::span(&socket, 1), message);
  }

 private:
  static UniqueFd tcp(int flags) {
    return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  }
  static void linger(int socket, int seconds) {
    const ::linger how{.l_onoff = 1, .l_linger = seconds};
    EXPECT_EQ(::setsockopt(socket, SOL_SOCKET, SO_LINGER, &how, sizeof how), 0);
  }
  static UniqueFd connected_to(int socket) {
    const UniqueFd listener = tcp(0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(listener.get(), name, length), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.get(), name, &length), 0);
    EXPECT_EQ(::connect(socket, name, length), 0);
    return UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  UniqueFd full_;
  UniqueFd peer_;
};

// As on a kernel that knows no SO_PASSRIGHTS.
void forget_pass_rights() {
  constexpr uint32_t kSoPassRights = 83;
  std::array<sock_filter, 6> code{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSoPassRights, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{.len = static_cast<unsigned short>(code.size()), .filter = code.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    std::abort();
}

enum class Kernel { kOfToday, kBefore616 };

class UnwantedFds : public testing::TestWithParam<Kernel> {
 protected:
  UnwantedFds()
      : supervisor_(options_in(directory_),
                    GetParam() == Kernel::kBefore616 ? forget_pass_rights : std::function<void()>()) {}
  void SetUp() override { ASSERT_TRUE(supervisor_.wait_ready()) << supervisor_.log(); }

  // Until SIGCONT. What is sent meanwhile is all there when it looks, and the sender's own copy is gone.
  void freeze() {
    supervisor_.signal(SIGSTOP);
    const std::string status = "/proc/" + std::to_string(supervisor_.pid()) + "/status";
    EXPECT_TRUE(eventually([&] { return read_text(status).find("State:\tT") != std::string::npos; }));
  }
  // As somebody without a role, who has been up to something when this returns, and lives on.
  std::unique_ptr<ChildProcess> as_stranger(const std::function<int(UniqueFd done)>& work) {
    EXPECT_EQ(::chmod(directory_.path().c_str(), 0711), 0);
    EXPECT_EQ(::chmod(path_.c_str(), 0666), 0);
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd told(ends[0]);
    UniqueFd done(ends[1]);
    auto child = std::make_unique<ChildProcess>([&] {
      if (::setgid(65'534) != 0 || ::setuid(65'534) != 0) return 2;
      return work(std::move(done));
    });
    done.reset();
    char byte = 0;
    EXPECT_EQ(::read(told.get(), &byte, 1), 0);
    return child;
  }
  UniqueFd connect() const { return connect_to(path_); }
  // The second one comes surely after what was sent before.
  void expect_others_are_served() {
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(TestClient::open(path_)) << supervisor_.log();
  }

  const Hello hello_{};
  TempDir directory_;
  const std::string path_ = directory_.path("pqd.sock");
  RunningSupervisor supervisor_;
  SlowToClose slow_;
};

TEST_P(UnwantedFds, InAHelloHoldNobodyUp) {
  const UniqueFd client = connect();
  expect_others_are_served();  // so that it is accepted
  freeze();
  slow_.send_with(client, wire_bytes(hello_));
  supervisor_.signal(SIGCONT);
  expect_others_are_served();
}

TEST_P(UnwantedFds, InAHelloOfSomebodyWhoIsNotAcceptedYetHoldNobodyUp) {
  freeze();
  const UniqueFd client = connect();
  slow_.send_with(client, wire_bytes(hello_));
  supervisor_.signal(SIGCONT);
  expect_others_are_served();
}

TEST_P(UnwantedFds, AfterAWelcomeHoldNobodyUp) {
  const UniqueFd client = connect();
  ASSERT_TRUE(send_message(client.get(), wire_bytes(hello_), {}, kPatience));
  ASSERT_TRUE(receive_reply(client.get(), kPatience));
  freeze();
  slow_.send_with(client, wire_bytes(hello_));
  supervisor_.signal(SIGCONT);
  expect_others_are_served();
}

TEST_P(UnwantedFds, UnreadBehindABadHelloHoldNobodyUp) {
  const UniqueFd client = connect();
  // Both are there before the supervisor looks at the first.
  freeze();
  ASSERT_TRUE(send_message(client.get(), wire_bytes(hello_).first(1), {}, kPatience));
  slow_.send_with(client, wire_bytes(hello_));
  supervisor_.signal(SIGCONT);
  expect_others_are_served();
}

TEST_P(UnwantedFds, OfAStrangerHoldNobodyUp) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  freeze();
  const auto stranger = as_stranger([&](UniqueFd done) {
    SlowToClose slow;  // the other one is the parent's, too
    const UniqueFd client = connect();
    slow.send_with(client, wire_bytes(hello_));
    done.reset();
    Refusal refusal;
    if (TestClient::open(path_, {}, &refusal)) return 3;
    return static_cast<Error>(refusal.code) == Error::kUnauthorized ? 0 : 4;
  });
  supervisor_.signal(SIGCONT);
  EXPECT_EQ(stranger->wait(), 0);
  expect_others_are_served();
}

TEST_P(UnwantedFds, BehindAMessageOfNoBytesHoldNobodyUp) {
  const UniqueFd client = connect();
  freeze();
  ASSERT_TRUE(send_message(client.get(), wire_bytes(hello_).first(1), {}, kPatience));
  ASSERT_EQ(::send(client.get(), nullptr, 0, 0), 0);
  slow_.send_with(client, wire_bytes(hello_));
  supervisor_.signal(SIGCONT);
  expect_others_are_served();
}

TEST_P(UnwantedFds, OfManyWhoAreTurnedAwayHoldNobodyUp) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  freeze();
  const auto strangers = as_stranger([&](UniqueFd done) {
    SlowToClose slow;
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 48; ++i) clients.push_back(connect());
    slow.send_with(std::span(clients).subspan(32), wire_bytes(hello_));  // those before are as many as may be
    done.reset();
    ::pause();
    return 0;
  });
  supervisor_.signal(SIGCONT);
  ASSERT_TRUE(eventually([&] { return supervisor_.log().find("turned away") != std::string::npos; }));
  expect_others_are_served();
}

TEST_P(UnwantedFds, DoNotHoldUpTheEnd) {
  const UniqueFd live = connect();
  ASSERT_TRUE(send_message(live.get(), wire_bytes(hello_), {}, kPatience));
  ASSERT_TRUE(receive_reply(live.get(), kPatience));
  freeze();
  const UniqueFd waiting = connect();
  SlowToClose other;
  slow_.send_with(live, wire_bytes(hello_));
  other.send_with(waiting, wire_bytes(hello_));
  supervisor_.signal(SIGTERM);
  supervisor_.signal(SIGCONT);
  EXPECT_EQ(supervisor_.wait(), 0) << supervisor_.log();
}

INSTANTIATE_TEST_SUITE_P(Kernels, UnwantedFds, testing::Values(Kernel::kOfToday, Kernel::kBefore616),
                         [](const auto& kernel) {
                           return kernel.param == Kernel::kOfToday ? "OfToday" : "Before616";
                         });

}  // namespace
}  // namespace pqd::supervisor_test
