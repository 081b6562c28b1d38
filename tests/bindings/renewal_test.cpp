// Another supervisor takes a session over while it lives: its client goes on in the new files.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "bindings/cpp/client.h"
#include "shm/memfd.h"
#include "shm/segment.h"
#include "tests/bindings/false_daemon.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

constexpr uint64_t kSession = 5;

// A session whose engine does nothing.
struct Files {
  Files() {
    welcome.session = kSession;
    welcome.tag = kSession;
    welcome.features = kFeatures;
    welcome.max_payload_bytes = 1'000;
    up = create_memfd("pqd-test", up_layout(welcome.sizes).file_bytes()).value();
    down = create_memfd("pqd-test", down_layout(welcome.sizes).file_bytes()).value();
    wake = create_memfd("pqd-test", wake_layout().file_bytes()).value();
    client_doorbell.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    engine_doorbell.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    set_asleep(wake.get());
  }

  // For the first time, on either page.
  static void set_asleep(int wake) {
    WakeSegment page = WakeSegment::map(wake, Access::kReadWrite, OnFork::kDrop).value();
    page.page().sleeping.store(1);
  }

  bool greet(int socket) const {
    const std::array<int, kSessionFdCount> fds{up.get(), down.get(), wake.get(), client_doorbell.get(),
                                               engine_doorbell.get()};
    return send_message(socket, welcome, fds, kWatchdog).has_value();
  }
  // Until its client has sent a job, and has rung for it.
  bool hears_of_a_job() const {
    const UpSegment theirs =
        UpSegment::map(up.get(), welcome.sizes, Access::kReadOnly, OnFork::kDrop).value();
    uint64_t rings = 0;
    return eventually([&] { return theirs.header().tail[lane_index(Lane::kNormal)].load() != 0; }) &&
           eventually([&] { return ::read(client_doorbell.get(), &rings, sizeof rings) == 8; });
  }

  Welcome welcome;
  UniqueFd up, down, wake, client_doorbell, engine_doorbell;
};

// A Down in which the first job is decided, and a worker's page, asleep.
struct NewFiles {
  explicit NewFiles(const SegmentSizes& sizes)
      : down(create_memfd("pqd-test", down_layout(sizes).file_bytes()).value()),
        wake(create_memfd("pqd-test", wake_layout().file_bytes()).value()) {
    DownSegment ours = DownSegment::map(down.get(), sizes, Access::kReadWrite, OnFork::kDrop).value();
    LaneDown& lane = ours.lane(Lane::kNormal);
    lane.applied.store(1);
    lane.written.store(1);
    lane.synced.store(1);
    Files::set_asleep(wake.get());
  }

  bool send(int socket, const Renewal& renewal) const {
    const std::array<int, kRenewalFdCount> fds{down.get(), wake.get()};
    return send_message(socket, renewal, fds, kWatchdog).has_value();
  }

  UniqueFd down, wake;
};

// What becomes of a job that is sent before the daemon says this.
template <class Say>
Result<Outcome> outcome_after(const Files& files, Say say) {
  std::atomic<int> sessions{0};
  const FalseDaemon daemon(
      [&](int socket) {
        if (++sessions > 1) return;  // who comes back is not let in
        EXPECT_TRUE(files.greet(socket) && files.hears_of_a_job());
        say(socket);
        char byte = 0;
        ::recv(socket, &byte, 1, 0);
      },
      SOCK_SEQPACKET);
  auto client = Client::connect({.socket = daemon.socket(), .reconnect_timeout_ms = 0});
  EXPECT_TRUE(client);
  const auto ticket = client->submit({.type = "t"});
  EXPECT_TRUE(ticket);
  return client->wait(*ticket, kWatchdog);
}

TEST(Renewal, AWaitingClientGoesOnInTheNewFilesAndRingsForWhatItHadSent) {
  const Files files;
  const NewFiles fresh(files.welcome.sizes);
  const auto outcome =
      outcome_after(files, [&](int socket) { EXPECT_TRUE(fresh.send(socket, {.session = kSession})); });
  EXPECT_TRUE(outcome) << outcome.error().text;
  uint64_t rings = 0;
  EXPECT_EQ(::read(files.client_doorbell.get(), &rings, sizeof rings), 8) << "the new worker is not woken";
}

// Nothing that it does makes it look at the socket but the word in the old Down.
TEST(Renewal, IsFoundByAClientThatOnlySubmits) {
  const Files files;
  const NewFiles fresh(files.welcome.sizes);
  std::atomic<bool> sent{false};
  const FalseDaemon daemon(
      [&](int socket) {
        EXPECT_TRUE(files.greet(socket) && files.hears_of_a_job());
        EXPECT_TRUE(fresh.send(socket, {.session = kSession}));
        sent = true;
        char byte = 0;
        ::recv(socket, &byte, 1, 0);
      },
      SOCK_SEQPACKET);
  auto client = Client::connect({.socket = daemon.socket(), .reconnect_timeout_ms = 0});
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->submit({.type = "t"}));
  ASSERT_TRUE(eventually([&] { return sent.load(); }));
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(client->submit({.type = "t"}));
    uint64_t rings = 0;
    return ::read(files.client_doorbell.get(), &rings, sizeof rings) == 8;
  })) << "it looks at the old page still, for whose sleeper it has rung";
}

TEST(Renewal, OfSeveralTheLastOneCounts) {
  const Files files;
  const NewFiles last(files.welcome.sizes);
  NewFiles earlier(files.welcome.sizes);
  earlier.down = create_memfd("pqd-test", down_layout(files.welcome.sizes).file_bytes()).value();
  const auto outcome = outcome_after(files, [&](int socket) {
    EXPECT_TRUE(earlier.send(socket, {.session = kSession}));
    EXPECT_TRUE(last.send(socket, {.session = kSession}));
  });
  EXPECT_TRUE(outcome) << outcome.error().text;
}

TEST(Renewal, OneThatIsNotAsItShouldBeEndsTheSession) {
  const auto ends = [](const Files& files, const auto& say) {
    const auto outcome = outcome_after(files, say);
    return !outcome && outcome.error().error == Error::kUnknownOutcome;
  };
  const Files files;
  const NewFiles fresh(files.welcome.sizes);
  EXPECT_TRUE(ends(files, [&](int socket) { EXPECT_TRUE(fresh.send(socket, {.session = kSession + 1})); }));
  EXPECT_TRUE(ends(files, [&](int socket) {
    EXPECT_TRUE(send_message(socket, Renewal{.session = kSession}, {}, kWatchdog));
  }));
  NewFiles small(files.welcome.sizes);
  small.down = create_memfd("pqd-test", kPageBytes).value();
  EXPECT_TRUE(ends(files, [&](int socket) { EXPECT_TRUE(small.send(socket, {.session = kSession})); }));
  // Memory that could be taken away from below the client.
  NewFiles soft(files.welcome.sizes);
  soft.down.reset(::memfd_create("pqd-test", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(soft.down.get(), static_cast<off_t>(down_layout(files.welcome.sizes).file_bytes())),
            0);
  EXPECT_TRUE(ends(files, [&](int socket) { EXPECT_TRUE(soft.send(socket, {.session = kSession})); }));
  Files unaware;
  unaware.welcome.features = kFeatureResume;
  EXPECT_TRUE(ends(unaware, [&](int socket) { EXPECT_TRUE(fresh.send(socket, {.session = kSession})); }));
}

}  // namespace
}  // namespace pqd::test
