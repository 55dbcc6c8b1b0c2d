//! The tensors of a model file, by name and checked shape.

use super::block_matrix::BlockMatrix;
use super::error::{Error, read};
use super::linear::Weight;
use candle_core::quantized::{QMatMul, gguf_file};
use candle_core::safetensors::BufferedSafetensors;
use candle_core::{DType, Device, Tensor};
use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// An open model file. Tensor names are those of the Hugging Face layout in both formats.
pub struct Weights {
    path: PathBuf,
    format: Format,
}

enum Format {
    Safetensors(BufferedSafetensors),
    Gguf {
        content: gguf_file::Content,
        file: Mutex<BufReader<File>>,
    },
}

impl Weights {
    /// Opens a safetensors file. It is read whole: a memory map would let another process change
    /// the weights under a running model.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] and [`Error::Malformed`].
    pub fn safetensors(path: &Path) -> Result<Self, Error> {
        let buffered = BufferedSafetensors::new(read(path)?)
            .map_err(|error| Error::malformed(path, reason(&error)))?;
        Ok(Self {
            path: path.to_owned(),
            format: Format::Safetensors(buffered),
        })
    }

    /// Opens a GGUF file.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] and [`Error::Malformed`].
    pub fn gguf(path: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        // candle 0.11 divides by the alignment that the file states, which may be zero.
        let content = catch_unwind(AssertUnwindSafe(|| gguf_file::Content::read(&mut file)))
            .map_err(|_| Error::malformed(path, "the header is not that of a GGUF file"))?
            .map_err(|error| Error::malformed(path, reason(&error)))?;
        Ok(Self {
            path: path.to_owned(),
            format: Format::Gguf {
                content,
                file: Mutex::new(file),
            },
        })
    }

    /// Returns a tensor as float32.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] when the file has no such tensor or another shape.
    pub fn dense(&self, name: &str, shape: &[usize]) -> Result<Tensor, Error> {
        self.check(name, shape)?;
        self.load(name, |weights| match &weights.format {
            Format::Safetensors(file) => file.load(name, &Device::Cpu)?.to_dtype(DType::F32),
            Format::Gguf { .. } => weights.quantized(name)?.dequantize(&Device::Cpu),
        })
    }

    /// Returns a matrix of `rows` by `columns` in the precision it is stored in.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] when the file has no such tensor or another shape.
    pub fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Weight, Error> {
        self.check(name, &[rows, columns])?;
        self.load(name, |weights| match &weights.format {
            Format::Safetensors(file) => match file.load(name, &Device::Cpu)? {
                half if half.dtype() == DType::F16 => Ok(Weight::Plain(half)),
                other => Ok(Weight::Plain(other.to_dtype(DType::F32)?)),
            },
            Format::Gguf { .. } => {
                let tensor = weights.quantized(name)?;
                if let Some(blocks) = BlockMatrix::new(&tensor)? {
                    return Ok(Weight::Blocks(blocks));
                }
                Ok(match QMatMul::from_qtensor(tensor)? {
                    QMatMul::Tensor(tensor) | QMatMul::TensorF16(tensor) => Weight::Plain(tensor),
                    quantized @ QMatMul::QTensor(_) => Weight::Quantized(quantized),
                })
            }
        })
    }

    /// Runs `load` with its error, or panic, turned into one that names file and tensor.
    fn load<T>(
        &self,
        name: &str,
        load: impl FnOnce(&Self) -> candle_core::Result<T>,
    ) -> Result<T, Error> {
        catch_unwind(AssertUnwindSafe(|| load(self)))
            .map_err(|_| Error::mismatch(&self.path, name, "its data cannot be read"))?
            .map_err(|error| Error::mismatch(&self.path, name, reason(&error)))
    }

    /// Compares the shape in the file's header, before anything is allocated for the tensor.
    fn check(&self, name: &str, expected: &[usize]) -> Result<(), Error> {
        let actual = match &self.format {
            Format::Safetensors(file) => file.get(name).ok().map(|view| view.shape().to_vec()),
            Format::Gguf { content, .. } => content
                .tensor_infos
                .get(name)
                .map(|tensor| tensor.shape.dims().to_vec()),
        };
        match actual {
            Some(actual) if actual == expected => Ok(()),
            Some(actual) => Err(Error::mismatch(
                &self.path,
                name,
                format!("has the shape {actual:?} where config.json announces {expected:?}"),
            )),
            None => Err(Error::mismatch(&self.path, name, "is not in the file")),
        }
    }

    fn quantized(&self, name: &str) -> candle_core::Result<candle_core::quantized::QTensor> {
        match &self.format {
            Format::Gguf { content, file } => {
                // A panic while reading leaves nothing half-written behind the lock.
                let mut file = file
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                content.tensor(&mut *file, name, &Device::Cpu)
            }
            Format::Safetensors(_) => candle_core::bail!("safetensors has no quantized tensors"),
        }
    }
}

/// Returns the message of a candle error in one line, without its backtrace.
fn reason(error: &candle_core::Error) -> String {
    let message = match error {
        candle_core::Error::WithBacktrace { inner, .. } => inner.to_string(),
        other => other.to_string(),
    };
    message.lines().next().unwrap_or_default().to_owned()
}
