#include "tools/demo/file_list.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tools/demo/scratch.h"
#include "tools/demo/sha256.h"

namespace pqd::demo {
namespace {

class FileList : public testing::Test {
 protected:
  void SetUp() override {
    auto scratch = Scratch::create();
    ASSERT_TRUE(scratch) << scratch.error();
    scratch_.emplace(std::move(*scratch));
  }
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = scratch_->file(name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }

  std::optional<Scratch> scratch_;
};

TEST_F(FileList, HoldsRegularFilesInOrderAndFollowsNoLinks) {
  const std::string b = write("tree/b", "2");
  const std::string a = write("tree/a/x", "1");
  std::filesystem::create_symlink(b, scratch_->file("tree/link"));
  std::filesystem::create_directory_symlink(scratch_->file("tree/a"), scratch_->file("tree/again"));
  const auto files = find_files({scratch_->file("tree"), scratch_->file("tree/a")}, 0);
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].path, a);
  EXPECT_EQ(files[1].path, b);
  EXPECT_EQ(find_files({scratch_->file("tree")}, 1).size(), 1u);
  EXPECT_TRUE(find_files({scratch_->file("nowhere")}, 0).empty());
}

TEST_F(FileList, NoticesThatAFileChangedOrWent) {
  const std::string path = write("tree/a", "1");
  const auto files = find_files({scratch_->file("tree")}, 0);
  ASSERT_EQ(files.size(), 1u);
  EXPECT_FALSE(has_changed(files[0]));
  write("tree/a", "more");
  EXPECT_TRUE(has_changed(files[0]));
  std::filesystem::remove(path);
  EXPECT_TRUE(has_changed(files[0]));
}

TEST_F(FileList, ReadsBackStrangeNames) {
  write("tree/with\nnewline", "1");
  write("tree/ with space", "1");
  const auto files = find_files({scratch_->file("tree")}, 0);
  ASSERT_TRUE(write_list(scratch_->file("list"), files));
  const auto paths = read_list(scratch_->file("list"));
  ASSERT_TRUE(paths);
  ASSERT_EQ(paths->size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ((*paths)[i], files[i].path);
  EXPECT_FALSE(read_list(scratch_->file("missing")));
}

TEST_F(FileList, GoesWithItsDirectory) {
  const std::string path = scratch_->path();
  write("a", "1");
  scratch_.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(FileList, HashesAsFips180Says) {
  EXPECT_EQ(sha256_of_file(write("abc", "abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of_file(write("empty", "")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of_file(scratch_->file("missing")), std::nullopt);
}

}  // namespace
}  // namespace pqd::demo
