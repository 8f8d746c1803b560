// SPDX-License-Identifier: GPL-2.0-only
/* Does with a file what Java programs do: Mapper FILE PAGE-SIZE */
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

public class Mapper {
	static void check(boolean right, String what) throws Exception {
		if (!right)
			throw new Exception(what);
	}

	public static void main(String[] words) throws Exception {
		Path copy = Path.of("/dev/shm/mapper");
		int page = Integer.parseInt(words[1]);

		try (FileChannel file = FileChannel.open(Path.of(words[0]),
				StandardOpenOption.READ, StandardOpenOption.WRITE)) {
			check(file.size() == 64 << 20, "size " + file.size());
			MappedByteBuffer all =
				file.map(FileChannel.MapMode.READ_WRITE, 0, file.size());
			MappedByteBuffer part = file.map(FileChannel.MapMode.READ_ONLY, page, page);
			all.putLong(page, 42);
			all.force();
			check(part.getLong(0) == 42, "map of a part");

			ByteBuffer bytes = ByteBuffer.allocateDirect(8);
			check(file.read(bytes, page) == 8 && bytes.getLong(0) == 42, "read");
			try (FileChannel other = FileChannel.open(copy, StandardOpenOption.CREATE,
					StandardOpenOption.WRITE, StandardOpenOption.READ)) {
				long sent = file.transferTo(page, 4096, other);
				bytes.clear();
				check(sent == 4096 && other.read(bytes, 0) == 8 &&
					bytes.getLong(0) == 42, "transferTo " + sent);
			}
		}
		Files.delete(copy);
	}
}
