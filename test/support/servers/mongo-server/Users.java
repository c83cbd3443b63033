import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/** Names and passwords, read anew each time: a test takes one away by rewriting the file. */
record Users(Path file) {
  /** Without the file nobody is asked who they are. */
  boolean isAsking() {
    return Files.exists(file);
  }

  Optional<String> passwordOf(String name) {
    try {
      return Files.readAllLines(file).stream()
          .map(line -> line.split(" ", 2))
          .filter(parts -> parts.length == 2 && parts[0].equals(name))
          .map(parts -> parts[1])
          .findFirst();
    } catch (NoSuchFileException missing) {
      return Optional.empty();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
