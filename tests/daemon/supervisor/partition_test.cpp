// Sessions of a daemon with several partitions, over a real supervisor: each belongs to one, from its Hello
// to its engine.
#include "core/partition.h"
#include "core/error.h"
#include "tests/daemon/supervisor/fixtures.h"

namespace pqd::supervisor_test {
namespace {

class PartitionSession : public ::testing::Test {
 protected:
  explicit PartitionSession(uint32_t partitions = 2)
      : supervisor_([&] {
          auto options = options_in(directory_);
          options.partitions = partitions;
          return options;
        }()) {}
  void SetUp() override { ASSERT_TRUE(supervisor_.wait_ready()) << supervisor_.log(); }

  std::optional<TestClient> open(const Hello& hello, Refusal* refusal = nullptr) {
    return TestClient::open(directory_.path("pqd.sock"), hello, refusal);
  }
  // The stand-in writes its pid and the partition there.
  uint32_t wake_word(const TestClient& client) {
    const auto page = WakeSegment::map(client.fds().wake.get(), Access::kReadOnly, OnFork::kDrop);
    return page ? page->page().sleeping.load() : 0;
  }

  TempDir directory_;
  RunningSupervisor supervisor_;
};

TEST_F(PartitionSession, BelongsToTheOneThatItsHelloNames) {
  for (const uint32_t partition : {0u, 1u, 1u, 0u}) {
    Hello hello;
    hello.partition = partition;
    const auto client = open(hello);
    ASSERT_TRUE(client) << supervisor_.log();
    EXPECT_EQ(client->welcome().partitions, 2u);
    EXPECT_EQ(client->welcome().partition, partition);
    EXPECT_EQ(client->welcome().tag,
              make_tag(client->welcome().session, static_cast<PartitionNo>(partition), 2));
    EXPECT_EQ(client->down().header().tag, client->welcome().tag);
    EXPECT_EQ(wake_word(*client), static_cast<uint32_t>(supervisor_.engine_pid()) + partition);
  }
}

TEST_F(PartitionSession, OfAnOlderClientIsOfTheFirst) {
  Hello hello;
  hello.features = kFeatureResume | kFeatureRenewal;
  const auto client = open(hello);
  ASSERT_TRUE(client) << supervisor_.log();
  EXPECT_EQ(client->welcome().features, hello.features);
  EXPECT_EQ(client->welcome().partition, 0u);
  EXPECT_EQ(partition_of_tag(client->welcome().tag, 2), 0u);
}

TEST_F(PartitionSession, OfOneThatThereIsNotIsRefused) {
  Hello hello;
  hello.partition = 2;
  Refusal refusal;
  EXPECT_FALSE(open(hello, &refusal));
  EXPECT_EQ(refusal.code, static_cast<uint8_t>(Error::kInvalidRequest));
  EXPECT_NE(refusal_text(refusal).find("partition 2 is asked for, and this pqd has 2"),
            std::string_view::npos)
      << refusal_text(refusal);
}

TEST_F(PartitionSession, StaysThereWithTheNextEngine) {
  Hello hello;
  hello.partition = 1;
  const auto client = open(hello);
  ASSERT_TRUE(client) << supervisor_.log();
  const auto before = static_cast<uint64_t>(supervisor_.engine_pid());
  client->order(2);
  ASSERT_TRUE(eventually([&] { return client->epoch() != 0 && client->epoch() != before; }));
  EXPECT_EQ(wake_word(*client), static_cast<uint32_t>(client->epoch()) + 1);
}

class OnlyPartition : public PartitionSession {
 protected:
  OnlyPartition() : PartitionSession(1) {}
};

TEST_F(OnlyPartition, GivesSessionsTheTagsThatTheyAlwaysHad) {
  const auto client = open({});
  ASSERT_TRUE(client) << supervisor_.log();
  EXPECT_EQ(client->welcome().partitions, 1u);
  EXPECT_EQ(client->welcome().tag, static_cast<uint32_t>(client->welcome().session));
}

}  // namespace
}  // namespace pqd::supervisor_test
