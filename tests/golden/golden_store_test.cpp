// Stores that were written by the pqd of their time are opened by today's.
#include <gtest/gtest.h>

#include <filesystem>

#include "bindings/cpp/client.h"
#include "daemon/store/recovery.h"
#include "daemon/store/row_fold.h"
#include "daemon/store/store.h"
#include "daemon/store/store_check.h"
#include "tests/golden/golden_life.h"
#include "tests/golden/pack.h"
#include "tests/support/daemon.h"

namespace pqd::test {
namespace {

const std::string kGolden = PQD_SOURCE_DIR "/tests/golden/";

// What recovery comes to, with what is finished as rows and memory have it together.
class OpenedStore {
 public:
  explicit OpenedStore(const std::string& directory) : directory_(directory) {
    auto store = Store::open({.directory = directory});
    EXPECT_TRUE(store) << (store ? "" : store.error().text);
    if (store) store_ = std::move(*store);
  }
  bool is_open() const { return store_ != nullptr; }

  std::string recover_all() {
    auto witness = Witness::open(directory_);
    if (!witness) return witness.error().text;
    const auto done = recover(*store_, *witness, state_, [](uint64_t, ByteView, ByteView) { return true; });
    if (!done) return done.error().text;
    recovered_ = *done;
    return "";
  }
  // As a running engine does, with all that there is.
  std::string checkpoint_all() {
    RowFold fold(*store_, recovered_.checkpoint_tables, recovered_.covered);
    std::string fault;
    const auto read =
        store_->for_each_commit(recovered_.covered + 1, [&](uint64_t number, ByteView entry, ByteView block) {
          if (const auto folded = fold.fold(number, entry, block); !folded) fault = folded.error().text;
          return fault.empty();
        });
    if (!read) return read.error().text;
    if (!fault.empty()) return fault;
    const auto written = store_->checkpoint(fold.take());
    return written ? "" : written.error().text;
  }
  // REQUIRES: a checkpoint covers all of it.
  std::string text(const StorePicture& wanted) const {
    StorePicture picture;
    picture.last_commit = recovered_.last_commit;
    picture.last_hash = recovered_.last_hash;
    picture.tables = state_.tables;
    picture.live = live_rows_of(state_);
    EXPECT_TRUE(store_->for_each_done(std::nullopt, [&picture](const JobId& id, ByteView row) {
      picture.finished[id].assign(row.begin(), row.end());
      return true;
    }));
    EXPECT_TRUE(store_->for_each_dead_letter([&picture](JobNo no, const JobId& id) {
      picture.dead_letters[no] = id;
      return true;
    }));
    for (const auto& [key, kept] : wanted.keys)
      if (const auto found = store_->find_key(key).value()) picture.keys[key] = *found;
    return picture.text();
  }
  const State& state() const { return state_; }
  std::map<JobNo, Bytes> stored_live_rows() const {
    std::map<JobNo, Bytes> rows;
    EXPECT_TRUE(store_->for_each_live([&rows](JobNo job, ByteView row) {
      rows[job].assign(row.begin(), row.end());
      return true;
    }));
    return rows;
  }

 private:
  std::string directory_;
  std::unique_ptr<Store> store_;
  State state_;
  Recovered recovered_;
};

// The keys of the life, which nobody can list from a store.
StorePicture picture_of_the_life() {
  GoldenLife life;
  while (life.next()) {
  }
  return life.picture();
}

class GoldenStore : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string packed = read_file(kGolden + GetParam() + ".pack");
    ASSERT_TRUE(unpack(packed, directory())) << GetParam();
    EXPECT_LT(packed.size(), 200u << 10) << "a golden store is a small one";
  }
  std::string directory() const { return directory_.path("state"); }
  std::string wanted() const { return read_file(kGolden + GetParam() + ".txt"); }

  TempDir directory_;
};

TEST_P(GoldenStore, HoldsWhatItsPqdSaidBeforeAndAfterACheckpointAndAReopening) {
  const StorePicture life = picture_of_the_life();
  {
    OpenedStore store(directory());
    ASSERT_TRUE(store.is_open());
    ASSERT_EQ(store.recover_all(), "");
    store.state().check_invariants(State::Walk::kReplayed);
    ASSERT_EQ(store.checkpoint_all(), "");
    EXPECT_EQ(store.text(life), wanted());
    EXPECT_TRUE(store.stored_live_rows() == live_rows_of(store.state()));
  }
  OpenedStore again(directory());
  ASSERT_TRUE(again.is_open());
  ASSERT_EQ(again.recover_all(), "");
  again.state().check_invariants(State::Walk::kReplayed);
  EXPECT_EQ(again.text(life), wanted());
}

TEST_P(GoldenStore, IsWholeForTheCheck) {
  const StoreReport report = check_store(directory());
  for (const StoreFault& fault : report.faults) ADD_FAILURE() << fault.part << ": " << fault.text;
  EXPECT_TRUE(report.starts);
  EXPECT_GT(report.files, 0u) << "no tables";
}

TEST_P(GoldenStore, IsServedByADaemon) {
  const std::string text = wanted();
  const size_t at = text.find("\nfinished ") + 10;
  const auto id = JobId::parse(text.substr(at, 36));
  ASSERT_TRUE(id) << text.substr(at, 36);
  Daemon daemon;
  std::filesystem::create_directories(daemon.directory());
  std::filesystem::permissions(daemon.directory(), std::filesystem::perms::owner_all);
  std::filesystem::rename(directory(), daemon.directory() + "/state");
  ASSERT_TRUE(daemon.start());
  auto client = Client::connect({.socket = daemon.socket()});
  ASSERT_TRUE(client) << client.error().text;
  const auto job = client->get(*id);
  ASSERT_TRUE(job) << job.error().text;
  EXPECT_TRUE(is_finished(job->core.state));
  const auto ticket = client->submit({.type = "t", .queue = "new"});
  ASSERT_TRUE(ticket) << ticket.error().text;
  EXPECT_TRUE(client->wait(*ticket, Milliseconds(60'000)));
}

TEST_P(GoldenStore, OfALaterFormatIsRefusedByItsNumber) {
  write_file(directory() + "/format", "pqd 2\n");
  const std::string before = pack(directory());
  const auto store = Store::open({.directory = directory()});
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("has format 2, this pqd knows format 1"), std::string::npos)
      << store.error().text;
  EXPECT_TRUE(pack(directory()) == before) << "it was changed";
}

INSTANTIATE_TEST_SUITE_P(All, GoldenStore, testing::Values("store-1", "store-1-without-figures", "store-2"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::erase(name, '-');
                           return name;
                         });

// One of a later pqd, which kept to the format's number and has a family more.
TEST(GoldenStoreOfALaterPqd, WithAnUnknownFamilyIsRefusedByThatsNameAndStaysAsItIs) {
  const TempDir directory;
  const std::string packed = read_file(kGolden + "store-1-with-a-later-family.pack");
  ASSERT_TRUE(unpack(packed, directory.path("state")));
  const auto store = Store::open({.directory = directory.path("state")});
  ASSERT_FALSE(store);
  const std::string reason = "a part that this pqd does not know (attachments): use the pqd that wrote it";
  EXPECT_NE(store.error().text.find(reason), std::string::npos) << store.error().text;
  const StoreReport report = check_store(directory.path("state"));
  EXPECT_FALSE(report.starts);
  ASSERT_FALSE(report.faults.empty());
  EXPECT_NE(report.faults[0].text.find(reason), std::string::npos) << report.faults[0].text;
  EXPECT_TRUE(pack(directory.path("state")) == packed) << "it was changed";
}

// The life that the newest golden store was made of is still the same: a store made today says the same.
TEST(GoldenLife, IsWhatTheNewestGoldenStoreWasMadeOf) {
  EXPECT_EQ(picture_of_the_life().text(), read_file(kGolden + "store-2.txt"));
}

}  // namespace
}  // namespace pqd::test
