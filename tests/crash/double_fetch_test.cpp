// A client that changes a record's size while the engine reads it. Loaded once, checked and copied, a size is
// what it was when it was looked at; loaded twice it may be anything by then. The planted fault does that.
#include <gtest/gtest.h>
#include <poll.h>

#include <cstring>

#include "bindings/cpp/client_session.h"
#include "core/control_record.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"
#include "tests/support/load/load_history.h"
#include "tests/support/process.h"

namespace pqd::test {
namespace {

constexpr uint32_t kRecordBytes = 32'768;          // long to copy: time for the client to change the size
constexpr uint32_t kRecords = 16;                  // a session
constexpr uint32_t kImpossibleBytes = 0x7FFFFFF0;  // who believes it reads far outside of the copy
constexpr int kSessions = 60;
constexpr const char* kEnough = "enough";

// Until the daemon has closed the session, or has read all of it.
void flip_sizes(ClientSession& session) {
  RingWriter& writer = session.writer(Lane::kControl);
  std::vector<uint32_t*> sizes;
  for (uint32_t i = 0; i < kRecords; ++i) {
    const auto room = writer.reserve(kRecordBytes);
    QueryHead query;
    query.head.size_bytes = kRecordBytes;
    query.head.kind = static_cast<uint8_t>(RecordKind::kQuery);
    std::memcpy(room.data(), &query, sizeof query);
    sizes.push_back(reinterpret_cast<uint32_t*>(room.data()));
    writer.commit(kRecordBytes);
  }
  writer.publish();
  const uint64_t end = writer.published();
  session.bell.ring_if_sleeping();
  pollfd closed{session.socket.get(), POLLIN, 0};
  // No sleep in between: the engine looks for some microseconds.
  for (const Deadline watchdog = Deadline::in(kWatchdog); !watchdog.passed();) {
    for (int turn = 0; turn < 200; ++turn)
      for (uint32_t* size : sizes)
        __atomic_store_n(size, turn % 2 == 0 ? kImpossibleBytes : kRecordBytes, __ATOMIC_RELAXED);
    const auto read = session.down.lane(Lane::kControl).head.load(std::memory_order_acquire);
    if (read == end || ::poll(&closed, 1, 0) != 0) return;
  }
}

// One session after the other, because as a rule the first change that is seen ends it; until it is killed.
int flip(const Forked::Say& say, const std::string& socket) {
  for (int sessions = 0;; ++sessions) {
    if (sessions == kSessions) say(kEnough);
    auto session = ClientSession::open(socket, Hello(), Deadline::in(kWatchdog));
    if (!session) return say(session.error().text), 1;
    flip_sizes(**session);
  }
}

pid_t engine_of(pid_t supervisor) { return child_named(supervisor, "pqd-engine"); }

TEST(DoubleFetch, CannotBeOfASizeThatIsLoadedOnceAndOthersGoOn) {
  Daemon daemon(kLoadConfig, {}, PQD_BIN_DIR "/hooked");
  ASSERT_TRUE(daemon.start());
  Load load(daemon.socket(), {});
  const pid_t engine = engine_of(daemon.pid());
  Forked client([&](const Forked::Say& say) { return flip(say, daemon.socket()); });
  EXPECT_EQ(client.hear(), kEnough);
  // On busy CPUs the two may rarely meet.
  EXPECT_TRUE(eventually([&] {
    return daemon.log().find("broke the rules of its rings: a record is ") != std::string::npos;
  })) << "no change was ever seen";
  client.kill_and_wait();
  EXPECT_EQ(engine_of(daemon.pid()), engine) << daemon.log();
  ASSERT_EQ(load.finish(), "");
  EXPECT_EQ(judge(load).broken, std::vector<std::string>());
}

// Without the class Daemon, which fails a test whose engine a sanitizer ends.
TEST(DoubleFetch, ThatIsPlantedEndsTheEngine) {
  TempDir directory;
  Program daemon({PQD_BIN_DIR "/hooked/pqd", "--dev", "--dir", directory.path("pqd")},
                 {"PQD_CANARY=size-loaded-twice"});
  ASSERT_TRUE(daemon.says("pqd is ready")) << daemon.err();
  const pid_t engine = engine_of(daemon.pid());
  Forked client([&](const Forked::Say& say) { return flip(say, directory.path("pqd/pqd.sock")); });
  EXPECT_TRUE(eventually([&] { return engine_of(daemon.pid()) != engine; })) << "it is not found";
  client.kill_and_wait();
}

}  // namespace
}  // namespace pqd::test
