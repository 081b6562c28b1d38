// Durability memory on the real daemon: no byte on the disk, and what a dead engine leaves of it.
#include <filesystem>
#include <map>

#include "bindings/cpp/client.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kConfig = R"(
[daemon]
engine_backoff_max = "10ms"
[store]
checkpoint_interval = "50ms"
[queues.defaults]
max_active = 0
)";

class MemoryTest : public WithDaemon {
 protected:
  MemoryTest() : WithDaemon(kConfig) {}

  Client connect() {
    auto client = Client::connect({.socket = daemon_.socket()});
    EXPECT_TRUE(client.has_value()) << (client ? "" : client.error().text);
    return std::move(*client);
  }
  static SubmitRequest memory_job(std::string_view payload) {
    return {.type = "t", .payload = as_bytes(payload), .durability = Durability::kMemory};
  }
  // Name and size of everything in the state directory.
  std::map<std::string, uintmax_t> files() const {
    std::map<std::string, uintmax_t> sizes;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(daemon_.directory() + "/state")) {
      std::error_code gone;
      const auto size = entry.is_regular_file(gone) ? entry.file_size(gone) : 0;
      if (!gone) sizes[entry.path()] = size;
    }
    return sizes;
  }
  void settle_files() const {
    std::map<std::string, uintmax_t> before;
    ASSERT_TRUE(eventually([&] {
      auto now = files();
      std::this_thread::sleep_for(300ms);  // longer than a checkpoint takes to come
      return std::exchange(before, now) == now;
    }));
  }
};

TEST_F(MemoryTest, JobsComeAndGoWithoutAByteOnTheDisk) {
  Client producer = connect();
  Client consumer = connect();
  ASSERT_TRUE(consumer.subscribe({.types = {"t"}, .credits = 64}));
  const auto run = [&](int jobs) {
    for (int i = 0; i < jobs; ++i) {
      const auto ticket = producer.submit(memory_job("payload"));
      ASSERT_TRUE(ticket) << ticket.error().text;
      ASSERT_TRUE(producer.wait(*ticket, 10s));
      auto job = consumer.next(10s);
      ASSERT_TRUE(job && *job);
      ASSERT_TRUE(consumer.complete(**job, as_bytes("result")));
    }
  };
  run(1);  // the names of queue and type are written down
  settle_files();
  const auto before = files();
  ASSERT_FALSE(before.empty());
  run(2'000);
  const auto ticket = producer.submit(memory_job("payload"));
  ASSERT_TRUE(ticket && producer.wait(*ticket, 10s));
  const auto info = producer.get(ticket->id);
  ASSERT_TRUE(info) << info.error().text;
  EXPECT_EQ(info->core.durability, Durability::kMemory);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(files(), before);
}

// More than a lane holds, so that its start was written over long ago when the next engine looks.
TEST_F(MemoryTest, LanesGoOnAfterADeadEngineWhereTheyWere) {
  Client producer = connect();
  Client consumer = connect();
  const std::string large(4'000, 'm');
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(consumer.subscribe({.types = {"t"}, .credits = 64}));
    for (int i = 0; i < 400; ++i) {
      const auto ticket = producer.submit(memory_job(large));
      ASSERT_TRUE(ticket && producer.wait(*ticket, 10s));
      auto job = consumer.next(10s);
      ASSERT_TRUE(job && *job);
      EXPECT_EQ((*job)->payload().size(), large.size());
      ASSERT_TRUE(consumer.complete(**job));
    }
    const auto durable = producer.submit({.type = "kept", .payload = as_bytes("durable")});
    ASSERT_TRUE(durable && producer.wait(*durable, 10s));
    const auto lost = producer.submit(memory_job("goes with the engine"));
    ASSERT_TRUE(lost && producer.wait(*lost, 10s));
    daemon_.kill_engine();
    const auto after = producer.submit({.type = "kept", .payload = as_bytes("after")});
    ASSERT_TRUE(after && producer.wait(*after, 20s));
    const auto gone = producer.get(lost->id);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().error, Error::kNotFound);
    EXPECT_TRUE(producer.get(durable->id)) << "what was durable is there";
    // What the dead engine had handed out and nobody knows any more.
    while (auto job = consumer.next(0ms)) {
      if (!*job) break;
      const auto settled = consumer.complete(**job);
      EXPECT_TRUE(settled || settled.error().error == Error::kLeaseLost);
    }
  }
  const auto kept = producer.list({.type = "kept", .limit = 100});
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->size(), 6u) << "none twice";
}

}  // namespace
}  // namespace pqd::test
